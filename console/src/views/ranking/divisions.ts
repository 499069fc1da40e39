/**
 * The division tree 行政区划 behind a ranking, read from the codes of its units, their names and those above them: which
 * division each belongs under, and what is left of its name there. No outlines of divisions are shipped, so a picture of them is an
 * arrangement of tiles and says so.
 */
import type { RankingRow } from '@/api/types'

export interface DivisionTile {
  row: RankingRow
  /** The name without that of the division it stands under. */
  short: string
}

export interface Division {
  code: string
  name: string
  tiles: DivisionTile[]
}

// A market (市场) is not the end of a city's name.
const END = /(?:市(?!场)|[省盟州区县旗镇乡])/g
// An office named after its city (住房公积金中心新城区分中心) does not take the county's name from the others.
const NEARLY_ALL = 0.8

/** The code of the division above: of a county its city's, of a city its province's, of a township its county's. */
export function above(code: string): string {
  if (code.length > 6) return code.slice(0, 6)
  return /00$/.test(code) ? code.slice(0, 2) : code.slice(0, 4)
}

/** Units under their division, both in the order of codes; governments stand under the division above their own. */
export function divisionsOf(rows: RankingRow[]): Division[] {
  const regions = rows.map((row) => row.unit.region_code ?? '')
  const governments = new Set(regions).size === regions.length && rows.length > 1
  const found = new Map<string, RankingRow[]>()
  for (const row of rows) {
    const region = row.unit.region_code ?? ''
    const code = governments ? above(region) : region
    const beside = found.get(code)
    if (beside) beside.push(row)
    else found.set(code, [row])
  }
  return [...found]
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([code, members]) => {
      const name = nameAbove(members) || sharedName(members.map((row) => row.unit.name))
      const tiles = members
        .sort((one, other) => one.unit.code.localeCompare(other.unit.code))
        .map((row) => ({ row, short: shortName(row.unit.name, name) }))
      return { code, name, tiles }
    })
}

/** The division whose government most of these units stand under; "" where that is not told. */
function nameAbove(members: RankingRow[]): string {
  const counts = new Map<string, number>()
  for (const row of members) if (row.unit.above) counts.set(row.unit.above, (counts.get(row.unit.above) ?? 0) + 1)
  const most = [...counts].sort(([, one], [, other]) => other - one)[0]
  return most && most[1] * 2 > members.length ? most[0].replace(/(人民政府|行政公署)$/, '') : ''
}

/** The longest name of a division with which nearly all of these names begin; "" where there is none. */
export function sharedName(names: string[]): string {
  const counts = new Map<string, number>()
  for (const name of names) {
    for (const end of name.matchAll(END)) {
      const start = name.slice(0, end.index + 1)
      counts.set(start, (counts.get(start) ?? 0) + 1)
    }
  }
  const enough = [...counts].filter(([, count]) => count >= names.length * NEARLY_ALL && names.length > 1).map(([start]) => start)
  return enough.sort((one, other) => other.length - one.length)[0] ?? ''
}

function shortName(name: string, division: string): string {
  const own = name.startsWith(division) ? name.slice(division.length).replace(/(人民政府|行政公署)$/, '') : ''
  return own || name.replace(/(人民政府|行政公署)$/, '')
}

/** Shades from the first tier to the last; where nothing is told apart all are of the same light one. */
export function shadeOf(tier: number, tiers: number, steps: number): number {
  if (tiers <= 1) return steps - 2
  return Math.round(((Math.min(tier, tiers) - 1) / (tiers - 1)) * (steps - 1))
}
