/**
 * The proof of a published ranking, step by step, in the browser of whoever reads it. Every step is looked at whatever
 * became of those before it, so that the reader sees all that does not hold and not only the first.
 *
 * What only the events themselves can show (every leaf under the checkpoint's root, every score from its events) is
 * for the offline verifier: events are not public.
 */
import { Broken, hex, text } from './bytes'
import { sha256 } from './crypto'
import { isSignedBy, readKey, readNote, type Key, type Note } from './note'
import { checkComposites, checkPlaces, type PublishedFramework, type ScoreRow } from './scores'

export type StepId = 'statement' | 'manifest' | 'files' | 'chain' | 'witnesses' | 'places' | 'composite'
export interface Step {
  id: StepId
  /** unknown: cannot be looked at, for the reason given; absent: there is nothing of the kind. */
  state: 'holds' | 'broken' | 'unknown' | 'absent'
  why: string
  about: Record<string, string | number>
}

export interface Manifest {
  format: string
  id: string
  period: string
  upto: string
  peer_group: string
  framework: string
  origin: string
  at_seq: number
  /** How rank intervals were drawn; not told by bundles of before. */
  intervals?: { procedure: string; runs: number }
  published_at: string
  replaces: string | null
  files: Record<string, string>
}

/** Keys as they are written; the caller says where they come from. */
export interface Keys {
  ledger: string[]
  publisher: string | null
  witnesses: string[]
  needed: number
}

export interface Files {
  'manifest.json': Uint8Array
  'publication.note': Uint8Array
  'framework.json': Uint8Array
  'scores.jsonl': Uint8Array
  'checkpoints.jsonl': Uint8Array
}

const CHECKED = ['framework.json', 'scores.jsonl', 'checkpoints.jsonl'] as const

export async function prove(publication: string, files: Files, keys: Keys): Promise<Step[]> {
  const manifest = readManifest(files)
  const found: Step[] = []
  const look = async (id: StepId, check: () => Promise<About> | About): Promise<void> => {
    found.push(await looked(id, check))
  }
  await look('statement', () => checkStatement(files, keys))
  await look('manifest', () => checkManifest(publication, files, manifest))
  await look('files', () => checkFiles(files, manifest))
  await look('chain', () => checkChain(files, manifest, keys))
  await look('witnesses', () => checkWitnesses(files, keys))
  await look('places', () => {
    const rows = readScores(files)
    checkPlaces(rows)
    return { count: rows.length }
  })
  await look('composite', () => {
    const count = checkComposites(readScores(files), readFramework(files))
    if (count === null) throw new Missing('noParts', 'absent')
    return { count }
  })
  return found
}

export const readScores = (files: Files): ScoreRow[] => lines(files['scores.jsonl']).map((line) => json<ScoreRow>(line))
export const readFramework = (files: Files): PublishedFramework => json<PublishedFramework>(text(files['framework.json']))

/** The manifest, null where it cannot be read. */
export function readManifest(files: Files): Manifest | null {
  try {
    const found = json<Manifest>(text(files['manifest.json']))
    return typeof found === 'object' && found !== null && typeof found.files === 'object' ? found : null
  } catch {
    return null
  }
}

type About = Record<string, string | number>

class Missing extends Error {
  readonly state: 'unknown' | 'absent'

  constructor(why: string, state: 'unknown' | 'absent' = 'unknown') {
    super(why)
    this.state = state
  }
}

async function looked(id: StepId, check: () => Promise<About> | About): Promise<Step> {
  try {
    return { id, state: 'holds', why: '', about: await check() }
  } catch (error) {
    if (error instanceof Missing) return { id, state: error.state, why: error.message, about: {} }
    if (error instanceof Broken) return { id, state: 'broken', why: error.code, about: error.about }
    return { id, state: 'broken', why: 'unreadable', about: {} }
  }
}

async function checkStatement(files: Files, keys: Keys): Promise<About> {
  if (!keys.publisher) throw new Missing('noPublisherKey')
  const key = readKey(keys.publisher)
  if (!(await isSignedBy(readNote(files['publication.note']), key))) throw new Broken('unsigned', { name: key.name })
  return { name: key.name, id: key.id }
}

function checkManifest(publication: string, files: Files, manifest: Manifest | null): About {
  const [title, digest, named] = readNote(files['publication.note']).text.split('\n')
  const own = hex(sha256(files['manifest.json']))
  if (title !== 'fazhi/publication/v1' || digest !== own) throw new Broken('manifest')
  if (!manifest) throw new Broken('unreadable')
  if (named !== publication || manifest.id !== publication) throw new Broken('other', { id: named ?? '' })
  return { digest: own.slice(0, 16) }
}

function checkFiles(files: Files, manifest: Manifest | null): About {
  if (!manifest) throw new Missing('noManifest')
  for (const name of CHECKED) {
    if (hex(sha256(files[name])) !== manifest.files[name]) throw new Broken('file', { name })
  }
  return { count: CHECKED.length, others: Object.keys(manifest.files).length - CHECKED.length }
}

async function checkChain(files: Files, manifest: Manifest | null, keys: Keys): Promise<About> {
  if (keys.ledger.length === 0) throw new Missing('noLedgerKey')
  const known = keys.ledger.map(readKey)
  const chain = readChain(files)
  let before = -1
  for (const { note, origin, size } of chain) {
    if (!(await isSignedByOne(note, known))) throw new Broken('checkpoint', { size })
    if (size <= before) throw new Broken('order', { size })
    if (manifest && origin !== manifest.origin) throw new Broken('origin', { origin })
    before = size
  }
  if (manifest && before !== manifest.at_seq) throw new Broken('size', { said: manifest.at_seq, size: before })
  return { count: chain.length, size: before }
}

async function checkWitnesses(files: Files, keys: Keys): Promise<About> {
  if (keys.witnesses.length === 0) throw new Missing('noWitnessKey')
  const last = readChain(files).pop()!
  let seen = 0
  for (const key of keys.witnesses.map(readKey)) if (await isSignedBy(last.note, key)) seen += 1
  if (seen < Math.max(1, keys.needed)) throw new Broken('witnesses', { seen, needed: Math.max(1, keys.needed) })
  return { seen, size: last.size }
}

async function isSignedByOne(note: Note, keys: Key[]): Promise<boolean> {
  for (const key of keys) if (await isSignedBy(note, key)) return true
  return false
}

export interface Checkpoint {
  note: Note
  origin: string
  size: number
  root: string
}

/** Raises Broken where there is none, or one cannot be read. */
export function readChain(files: Files): Checkpoint[] {
  const found = lines(files['checkpoints.jsonl']).map((line) => {
    const note = readNote(String(json<{ note: string }>(line).note))
    const [origin = '', size = '', root = ''] = note.text.split('\n')
    if (!/^(0|[1-9]\d{0,14})$/.test(size)) throw new Broken('note')
    return { note, origin, size: Number(size), root }
  })
  if (found.length === 0) throw new Broken('noCheckpoint')
  return found
}

function lines(bytes: Uint8Array): string[] {
  return text(bytes).split('\n').filter((line) => line !== '')
}

function json<T>(written: string): T {
  try {
    return JSON.parse(written) as T
  } catch {
    throw new Broken('json')
  }
}
