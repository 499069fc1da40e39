/**
 * The division tree 行政区划 behind a ranking, read from the codes and names of its units: which division each belongs
 * under, and what is left of its name there. No outlines of divisions are shipped, so a picture of them is an
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

const ENDS = /^.*[省市盟州区县旗镇乡]/

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
      const name = sharedName(members.map((row) => row.unit.name))
      const tiles = members
        .sort((one, other) => one.unit.code.localeCompare(other.unit.code))
        .map((row) => ({ row, short: shortName(row.unit.name, name) }))
      return { code, name, tiles }
    })
}

/** What the names have in common, up to the end of a division's name. */
export function sharedName(names: string[]): string {
  let shared = names[0] ?? ''
  for (const name of names) while (!name.startsWith(shared)) shared = shared.slice(0, -1)
  if (names.length === 1) shared = shared.replace(/人民政府$/, '')
  return ENDS.exec(shared)?.[0] ?? ''
}

function shortName(name: string, division: string): string {
  const own = name.slice(division.length).replace(/人民政府$/, '')
  return own || name.replace(/人民政府$/, '')
}

/** Shades from the first tier to the last: `steps` of them are told apart, whatever the number of tiers. */
export function shadeOf(tier: number, tiers: number, steps: number): number {
  if (tiers <= 1) return 0
  return Math.round(((Math.min(tier, tiers) - 1) / (tiers - 1)) * (steps - 1))
}
