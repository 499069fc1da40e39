/** Months as "2026-03": the weeks of one, Monday first, and the one before or after. */

import { today } from '@/format/time'

const two = (n: number): string => String(n).padStart(2, '0')

/** The month it is in Beijing. */
export function thisMonth(now = new Date()): string {
  return today(now).slice(0, 7)
}

export function moved(month: string, by: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number)
  const months = year * 12 + number - 1 + by
  return `${Math.floor(months / 12)}-${two((months % 12) + 1)}`
}

/** Weeks of seven days as "2026-03-01"; null where a day belongs to another month. */
export function monthGrid(month: string): (string | null)[][] {
  const [year = 0, number = 1] = month.split('-').map(Number)
  const days = new Date(Date.UTC(year, number, 0)).getUTCDate()
  const before = (new Date(Date.UTC(year, number - 1, 1)).getUTCDay() + 6) % 7
  const cells: (string | null)[] = [
    ...Array.from({ length: before }, () => null),
    ...Array.from({ length: days }, (_, index) => `${month}-${two(index + 1)}`),
  ]
  while (cells.length % 7) cells.push(null)
  return Array.from({ length: cells.length / 7 }, (_, week) => cells.slice(week * 7, week * 7 + 7))
}
