/**
 * Decimals as the services send them: strings, never binary floats, so that the number on screen is the
 * number in the ledger. `measure` is the only door to floats and is for drawing lengths, not for text.
 */

/** "87.4321" rounded half up to `places`; keeps every digit when the text has fewer. */
export function fixed(text: string, places: number): string {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text.trim())
  if (!match) return text
  const [, sign = '', whole = '0', fraction = ''] = match
  const kept = BigInt(whole + fraction.slice(0, places).padEnd(places, '0'))
  const up = (fraction[places] ?? '0') >= '5' ? 1n : 0n
  const digits = (kept + up).toString().padStart(places + 1, '0')
  const body = places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`
  return /[1-9]/.test(body) ? sign + body : body
}

/** "0.6312" as "63.1%". */
export function percent(text: string | null | undefined, places = 1): string {
  if (text == null) return '—'
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text.trim())
  if (!match) return text
  const [, sign = '', whole = '0', fraction = ''] = match
  const padded = fraction.padEnd(2, '0')
  const shifted = `${sign}${BigInt(whole + padded.slice(0, 2))}.${padded.slice(2) || '0'}`
  return `${fixed(shifted, places)}%`
}

/** "1.5000" as "1.5"; nothing is rounded, only empty zeros go. */
export function plain(text: string | null | undefined): string {
  if (text == null) return '—'
  return /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text
}

/** The readable head and the exact tail of a score: "87.4321" is "87.43" and "21". */
export function split(text: string): { head: string; tail: string } {
  const dot = text.indexOf('.')
  if (dot < 0) return { head: text, tail: '' }
  return { head: text.slice(0, dot + 3), tail: text.slice(dot + 3) }
}

/** Length for a picture; null stays null, so that "no value" is never drawn as zero. */
export function measure(text: string | null | undefined): number | null {
  if (text == null || text === '') return null
  const value = Number(text)
  return Number.isFinite(value) ? value : null
}

/** 1234567 as "1,234,567". */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}
