/**
 * Signed notes 签名短笺 (C2SP signed-note), keys in the form notes use (name+id+base64(kind, key)), and the
 * cosignatures of witnesses (C2SP tlog-cosignature v1). As verifier/fazhi_verify.py reads them.
 */
import { base64, Broken, hex, joined, text, utf8 } from './bytes'
import { isSigned, sha256 } from './crypto'

const SIGNS = 1
const COSIGNS = 4
const MARK = '— '

export interface Key {
  name: string
  kind: number
  id: string
  raw: Uint8Array<ArrayBuffer>
}

export interface Note {
  text: string
  signatures: { name: string; id: string; content: Uint8Array<ArrayBuffer> }[]
}

/** Raises Broken where the text is no key, or does not fit its own number. */
export function readKey(written: string): Key {
  const [name = '', id = '', encoded = ''] = split3(written.trim())
  const raw = base64(encoded)
  const kind = raw[0] ?? 0
  const found = hex(sha256(joined(utf8(`${name}\n`), raw)).slice(0, 4))
  if (!name || /\s/.test(name) || raw.length !== 33 || found !== id || ![SIGNS, COSIGNS].includes(kind)) {
    throw new Broken('key', { key: written.trim().slice(0, 60) })
  }
  return { name, kind, id, raw: raw.slice(1) }
}

function split3(written: string): string[] {
  const first = written.indexOf('+')
  const second = written.indexOf('+', first + 1)
  return first < 0 || second < 0 ? [] : [written.slice(0, first), written.slice(first + 1, second), written.slice(second + 1)]
}

/** Raises Broken where it is no note. */
export function readNote(written: string | Uint8Array): Note {
  const whole = typeof written === 'string' ? written : text(written)
  const end = whole.lastIndexOf('\n\n')
  const lines = whole.slice(end + 2)
  if (end < 0 || !lines.endsWith('\n')) throw new Broken('note')
  const signatures = lines.slice(0, -1).split('\n').map((line) => {
    const space = line.lastIndexOf(' ')
    if (!line.startsWith(MARK) || space < MARK.length) throw new Broken('note')
    const raw = base64(line.slice(space + 1))
    if (raw.length < 5) throw new Broken('note')
    return { name: line.slice(MARK.length, space), id: hex(raw.slice(0, 4)), content: raw.slice(4) }
  })
  return { text: whole.slice(0, end + 1), signatures }
}

/** Whether this key's signature is under the note. One of this key that does not fit is Broken: it is no accident. */
export async function isSignedBy(note: Note, key: Key): Promise<boolean> {
  const line = note.signatures.find((one) => one.name === key.name && one.id === key.id)
  if (!line) return false
  let { content } = line
  let message = utf8(note.text)
  if (key.kind === COSIGNS) {
    if (content.length < 8) throw new Broken('signature', { name: key.name })
    const moment = new DataView(content.buffer, content.byteOffset).getBigUint64(0)
    message = joined(utf8(`cosignature/v1\ntime ${moment}\n`), message)
    content = content.slice(8)
  }
  if (!(await isSigned(key.raw, content, message))) throw new Broken('signature', { name: key.name })
  return true
}
