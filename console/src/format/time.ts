/** Times as officials read them: Beijing time, to the minute. */

const beijing = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Asia/Shanghai',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
})

/** "2026-03-04T15:22:01+08:00" as "2026-03-04 15:22"; a plain date stays a date. */
export function moment(text: string | null | undefined): string {
  if (!text) return '—'
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return text
  const at = new Date(text)
  return Number.isNaN(at.getTime()) ? text : beijing.format(at)
}

/** The day of a moment, in Beijing. */
export const dayOf = (text: string | null | undefined): string => moment(text).slice(0, 10)

/** The day it is in Beijing: "2026-03-04". */
export const today = (now = new Date()): string => beijing.format(now).slice(0, 10)

/** Whole days from `now` until `text`; negative when past, null when there is no date. */
export function daysUntil(text: string | null | undefined, now = new Date()): number | null {
  if (!text) return null
  const day = (at: Date): number => Date.parse(`${today(at)}T00:00:00Z`)
  const due = new Date(text)
  return Number.isNaN(due.getTime()) ? null : Math.round((day(due) - day(now)) / 86_400_000)
}
