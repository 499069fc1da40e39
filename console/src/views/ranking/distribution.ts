/** Shape of the scores of one peer group 得分分布. */

export interface Band {
  from: number
  to: number
  count: number
}

const STEPS = [0.5, 1, 2, 5, 10, 20]
const MOST_BANDS = 24

/** Equal bands over the scores, as narrow as still fits; the last band includes its upper end. */
export function bands(scores: number[]): Band[] {
  if (scores.length === 0) return []
  const low = Math.min(...scores)
  const high = Math.max(...scores)
  const step = STEPS.find((width) => (high - low) / width <= MOST_BANDS - 1) ?? 20
  const start = Math.floor(low / step) * step
  const number = Math.max(1, Math.ceil((high - start) / step + 1e-9))
  const found = Array.from({ length: number }, (_, at) => ({ from: start + at * step, to: start + (at + 1) * step, count: 0 }))
  for (const score of scores) found[bandOf(score, found)]!.count += 1
  return found
}

/** Index of the band a score falls into. */
export function bandOf(score: number, all: Band[]): number {
  const first = all[0]!
  const at = Math.floor((score - first.from) / (first.to - first.from))
  return Math.min(all.length - 1, Math.max(0, at))
}

export function median(scores: number[]): number | null {
  if (scores.length === 0) return null
  const sorted = [...scores].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
