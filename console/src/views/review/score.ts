/** "0.85" as 850; null when it is no share from 0 to 1 with at most three places. */
export function thousandths(text: string): number | null {
  const found = /^(?:(1)(?:\.0{0,3})?|0(?:\.(\d{0,3}))?|\.(\d{1,3}))$/.exec(text.trim())
  if (!found) return null
  return found[1] ? 1000 : Number((found[2] ?? found[3] ?? '').padEnd(3, '0'))
}
