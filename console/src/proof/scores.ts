/**
 * What follows from the published scores alone: every place from the scores of the group, and in a composite system the
 * total from the scores of its parts. Whole numbers throughout: millionths of a point as BigInt.
 */
import { Broken } from './bytes'

export interface ScoreRow {
  unit: string
  name: string
  region_code: string
  rank: number | null
  tied: boolean
  interval: [number, number] | null
  tier: number | null
  contested: string
  score: string | null
  coverage: string
  vetoes: number
  credibility: Partial<Record<'reported' | 'entered' | 'real_time' | 'external', string>>
  aspects: [string, string, string | null][]
}

export interface PublishedFramework {
  id: string
  version: string
  title: string
  year: number
  notice?: string
  peer_groups: { id: string; title?: string }[]
  components?: { code: string; title: string; weight?: string }[]
}

const DIGITS = 6

/** "87.4321" in millionths. Raises Broken. */
export function micro(written: string): bigint {
  const match = /^(\d+)(?:\.(\d{1,6}))?$/.exec(written)
  if (!match) throw new Broken('number', { value: written.slice(0, 30) })
  return BigInt(match[1] + (match[2] ?? '').padEnd(DIGITS, '0'))
}

/** Raises Broken naming the first unit whose place does not follow from the scores. */
export function checkPlaces(rows: ScoreRow[]): void {
  const seen = new Set<string>()
  const alike = new Map<string, number>()
  const scores: bigint[] = []
  for (const row of rows) {
    if (seen.has(row.unit)) throw new Broken('twice', { unit: row.name })
    seen.add(row.unit)
    if (row.score === null) continue
    const score = micro(row.score)
    scores.push(score)
    alike.set(String(score), (alike.get(String(score)) ?? 0) + 1)
  }
  scores.sort((one, other) => (one > other ? -1 : one < other ? 1 : 0))
  const place = new Map<string, number>()
  scores.forEach((score, at) => {
    if (!place.has(String(score))) place.set(String(score), at + 1)
  })
  for (const row of rows) {
    const score = row.score === null ? null : String(micro(row.score))
    const wanted = score === null ? null : place.get(score)
    if (row.rank !== wanted) throw new Broken('place', { unit: row.name, said: row.rank ?? '—', wanted: wanted ?? '—' })
    if (row.tied !== (score !== null && alike.get(score)! > 1)) throw new Broken('tie', { unit: row.name })
  }
}

/** How many totals were made again from their parts; null where the framework has no parts. Raises Broken. */
export function checkComposites(rows: ScoreRow[], framework: PublishedFramework): number | null {
  const weights = new Map((framework.components ?? []).map((part) => [part.code, micro(part.weight ?? '100')]))
  if (weights.size === 0) return null
  for (const row of rows) {
    let sum = 0n
    let whole = 0n
    for (const [code, , score] of row.aspects) {
      const weight = weights.get(code)
      if (weight === undefined) throw new Broken('part', { unit: row.name, part: code })
      if (score === null) continue
      sum += weight * micro(score)
      whole += weight
    }
    if ((whole === 0n) !== (row.score === null)) throw new Broken('composite', { unit: row.name, said: row.score ?? '—', wanted: '—' })
    if (row.score === null) continue
    const made = (2n * sum + whole) / (2n * whole)
    const difference = made - micro(row.score)
    // The parts are published rounded to the millionth, so the total made from them may differ by one.
    if (difference > 1n || difference < -1n) throw new Broken('composite', { unit: row.name, said: row.score, wanted: decimal(made) })
  }
  return rows.length
}

function decimal(value: bigint): string {
  const digits = value.toString().padStart(DIGITS + 1, '0')
  return `${digits.slice(0, -DIGITS)}.${digits.slice(-DIGITS)}`
}
