/** A line through the known values, and the area under it, in a box of this size; a gap is stepped over. */
export function sparkline(values: (number | null)[], width: number, height: number): { path: string; area: string } | null {
  const points = values.flatMap((value, at) => (value === null ? [] : [{ at, value }]))
  if (points.length < 2) return null
  const low = Math.min(...points.map((point) => point.value))
  const high = Math.max(...points.map((point) => point.value))
  const last = points[points.length - 1]!.at
  const first = points[0]!.at
  // A flat line lies in the middle; a moving one keeps a margin above and below.
  const y = (value: number): number => (high === low ? height / 2 : height - 6 - ((value - low) / (high - low)) * (height - 12))
  const x = (at: number): number => ((at - first) / (last - first)) * width
  const path = points.map((point, index) => `${index ? 'L' : 'M'}${x(point.at).toFixed(1)} ${y(point.value).toFixed(1)}`).join('')
  return { path, area: `${path}L${width} ${height}L0 ${height}Z` }
}
