/** The proof in the browser says yes to what was published and names what was changed. */
import { hashes, keygen, sign } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { beforeEach, describe, expect, it, vi } from 'vitest'

import { hex, joined, utf8 } from '@/proof/bytes'
import { isSigned, isSignedInScript, sha256 } from '@/proof/crypto'
import { readKey } from '@/proof/note'
import { prove, type Files, type Keys, type StepId } from '@/proof/proof'

hashes.sha512 = sha512
const ID = '0190f2c4-0000-7000-8000-000000000001'
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

class Signer {
  readonly pair = keygen()
  readonly raw: Uint8Array
  readonly id: Uint8Array
  readonly name: string
  readonly kind: number

  constructor(name: string, kind = 1) {
    this.name = name
    this.kind = kind
    this.raw = joined(new Uint8Array([kind]), this.pair.publicKey)
    this.id = sha256(joined(utf8(`${name}\n`), this.raw)).slice(0, 4)
  }

  get vkey(): string {
    return `${this.name}+${hex(this.id)}+${base64(this.raw)}`
  }

  line(text: string): string {
    if (this.kind === 1) return `— ${this.name} ${base64(joined(this.id, sign(utf8(text), this.pair.secretKey)))}\n`
    const at = new Uint8Array(8)
    new DataView(at.buffer).setBigUint64(0, 1_700_000_000n)
    const message = utf8(`cosignature/v1\ntime 1700000000\n${text}`)
    return `— ${this.name} ${base64(joined(this.id, at, sign(message, this.pair.secretKey)))}\n`
  }
}

const ledger = new Signer('fazhi.local/assessment')
const publisher = new Signer('fazhi.local/assessment/publication')
const witness = new Signer('见证一', 4)

const row = (unit: string, rank: number | null, score: string | null, parts: (string | null)[], tied = false) => ({
  unit,
  name: `单位${unit}`,
  region_code: '',
  rank,
  tied,
  interval: null,
  tier: null,
  contested: '0.0000',
  score,
  coverage: '1.0000',
  vetoes: 0,
  credibility: {},
  aspects: parts.map((part, at) => [['system', 'survey'][at], '部分', part]),
})
const ROWS = [
  row('a', 1, '90.0000', ['92.0000', '87.0000']),
  row('b', 2, '80.0000', ['80.0000', null], true),
  row('c', 2, '80.0000', ['80.0000', '80.0000'], true),
  row('d', 4, '33.333333', ['33.333333', '33.333333']),
  row('e', null, null, [null, null]),
]
const FRAMEWORK = {
  id: 'f',
  version: '1',
  peer_groups: [],
  components: [
    { code: 'system', title: '监测', weight: '60' },
    { code: 'survey', title: '调查', weight: '40' },
  ],
}

interface Made {
  rows?: unknown[]
  sizes?: number[]
  ledgerSigns?: Signer
  witnessed?: boolean
  framework?: unknown
}

/** A bundle as the platform publishes it, signed over whatever it is made of. */
function bundle(made: Made = {}): Files {
  const notes = (made.sizes ?? [5, 9]).map((size, at, all) => {
    const text = `fazhi.local/assessment\n${size}\n${base64(sha256(utf8(String(size))))}\n`
    const cosigned = at === all.length - 1 && made.witnessed !== false ? witness.line(text) : ''
    return JSON.stringify({ note: `${text}\n${(made.ledgerSigns ?? ledger).line(text)}${cosigned}` })
  })
  const files = {
    'framework.json': utf8(JSON.stringify(made.framework ?? FRAMEWORK)),
    'scores.jsonl': utf8((made.rows ?? ROWS).map((one) => `${JSON.stringify(one)}\n`).join('')),
    'checkpoints.jsonl': utf8(notes.join('\n') + '\n'),
  }
  const digests = Object.fromEntries(Object.entries(files).map(([name, bytes]) => [name, hex(sha256(bytes))]))
  const manifest = utf8(
    JSON.stringify({ format: 'fazhi-bundle/1', id: ID, origin: 'fazhi.local/assessment', at_seq: 9, files: { ...digests, 'events.jsonl': '0' } }),
  )
  const text = `fazhi/publication/v1\n${hex(sha256(manifest))}\n${ID}\n`
  return { ...files, 'manifest.json': manifest, 'publication.note': utf8(`${text}\n${publisher.line(text)}`) }
}

let keys: Keys
beforeEach(() => {
  keys = { ledger: [ledger.vkey], publisher: publisher.vkey, witnesses: [witness.vkey], needed: 1 }
})

async function broken(files: Files): Promise<Partial<Record<StepId, string>>> {
  const steps = await prove(ID, files, keys)
  return Object.fromEntries(steps.filter((step) => step.state === 'broken').map((step) => [step.id, step.why]))
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const other = bytes.slice()
  other[at] = other[at]! ^ 1
  return other
}

describe('a published bundle', () => {
  it('holds in every step', async () => {
    const steps = await prove(ID, bundle(), keys)
    expect(steps.map((step) => step.state)).toEqual(Array(7).fill('holds'))
    expect(steps.find((step) => step.id === 'chain')?.about).toEqual({ count: 2, size: 9 })
  })

  it('holds without the browser’s own Ed25519', async () => {
    vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(new DOMException('', 'NotSupportedError'))
    expect(await broken(bundle())).toEqual({})
    expect((await broken({ ...bundle(), 'publication.note': utf8('fazhi\n\n— x AAAA\n') })).statement).toBe('note')
    vi.restoreAllMocks()
  })

  it.each(['framework.json', 'scores.jsonl', 'checkpoints.jsonl'] as const)('tells that %s is not the published one', async (name) => {
    const files = bundle()
    for (let at = 3; at < files[name].length; at += 37) {
      const found = await broken({ ...files, [name]: flipped(files[name], at) })
      expect(found.files, `byte ${at}`).toBe('file')
    }
  })

  it('tells that the manifest is not the signed one, wherever it is touched', async () => {
    const files = bundle()
    for (let at = 0; at < files['manifest.json'].length; at += 11) {
      expect((await broken({ ...files, 'manifest.json': flipped(files['manifest.json'], at) })).manifest).toBeTruthy()
    }
  })

  it('tells a note that was touched anywhere', async () => {
    const files = bundle()
    for (let at = 0; at < files['publication.note'].length; at += 7) {
      const found = await broken({ ...files, 'publication.note': flipped(files['publication.note'], at) })
      expect(found.statement ?? found.manifest, `byte ${at}`).toBeTruthy()
    }
  })

  it('is not taken for another publication', async () => {
    const steps = await prove('0190f2c4-0000-7000-8000-000000000002', bundle(), keys)
    expect(steps.find((step) => step.id === 'manifest')?.why).toBe('other')
  })
})

describe('whoever holds the publisher’s key alone', () => {
  it('cannot sign for the ledger', async () => {
    const stranger = new Signer('fazhi.local/assessment')
    expect((await broken(bundle({ ledgerSigns: stranger }))).chain).toBe('checkpoint')
  })

  it('cannot leave the witnesses out, put checkpoints out of order or stop before the size named', async () => {
    expect(await broken(bundle({ witnessed: false }))).toEqual({ witnesses: 'witnesses' })
    expect((await broken(bundle({ sizes: [9, 5, 9] }))).chain).toBe('order')
    expect((await broken(bundle({ sizes: [5, 8] }))).chain).toBe('size')
  })

  it('cannot change a place, a tie or a total', async () => {
    const changed = (at: number, more: object): unknown[] => ROWS.map((one, index) => (index === at ? { ...one, ...more } : one))
    expect(await broken(bundle({ rows: changed(3, { rank: 3 }) }))).toEqual({ places: 'place' })
    expect(await broken(bundle({ rows: changed(1, { tied: false }) }))).toEqual({ places: 'tie' })
    expect(await broken(bundle({ rows: changed(4, { rank: 5 }) }))).toEqual({ places: 'place' })
    expect(await broken(bundle({ rows: changed(0, { score: '91.0000' }) }))).toEqual({ composite: 'composite' })
    expect(await broken(bundle({ rows: [...ROWS, ROWS[0]] }))).toEqual({ places: 'twice' })
  })
})

describe('what cannot be looked at', () => {
  it('is said and is not called good', async () => {
    const steps = await prove(ID, bundle({ framework: { peer_groups: [] } }), { ledger: [], publisher: null, witnesses: [], needed: 1 })
    const states = Object.fromEntries(steps.map((step) => [step.id, step.state]))
    expect(states).toMatchObject({ statement: 'unknown', chain: 'unknown', witnesses: 'unknown', composite: 'absent', files: 'holds' })
  })

  it('a key that is none, or not its own number, is refused', () => {
    const [name, id, encoded] = ledger.vkey.split('+')
    for (const written of ['', 'a+b', 'nonsense', `other+${id}+${encoded}`, `${name}+00000000+${encoded}`, `${ledger.vkey}A`]) {
      expect(() => readKey(written), written).toThrow()
    }
    expect(readKey(ledger.vkey).name).toBe('fazhi.local/assessment')
  })
})

it('both ways of checking a signature agree with RFC 8032', async () => {
  const key = Uint8Array.from(Buffer.from('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c', 'hex'))
  const signature = Uint8Array.from(
    Buffer.from('92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00', 'hex'),
  )
  const message = new Uint8Array([0x72])
  expect(await isSigned(key, signature, message)).toBe(true)
  expect(isSignedInScript(key, signature, message)).toBe(true)
  const wrong = flipped(signature, 9) as Uint8Array<ArrayBuffer>
  expect(await isSigned(key, wrong, message)).toBe(false)
  expect(isSignedInScript(key, wrong, message)).toBe(false)
})
