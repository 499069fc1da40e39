/** Bytes as the published formats write them. */

/** Something is not what was signed, or cannot be read: `code` names the sentence, `about` fills it. */
export class Broken extends Error {
  readonly code: string
  readonly about: Record<string, string | number>

  constructor(code: string, about: Record<string, string | number> = {}) {
    super(code)
    this.name = 'Broken'
    this.code = code
    this.about = about
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text)

/** Raises Broken where the bytes are not UTF-8. */
export function text(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch {
    throw new Broken('utf8')
  }
}

export const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')

export function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Standard base64, padded and nothing else: one text for one value. Raises Broken. */
export function base64(written: string): Uint8Array<ArrayBuffer> {
  try {
    const raw = atob(written)
    if (btoa(raw) === written) return Uint8Array.from(raw, (letter) => letter.charCodeAt(0))
  } catch {
    // Told below, as any other text that is not base64.
  }
  throw new Broken('base64')
}
