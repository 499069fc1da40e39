/** Periods 考核期, publication 公布, bulletins 通报, and what of them is public. */
import { client } from './client'

const ROOT = '/api/assessment/v1'
const one = (id: string): string => encodeURIComponent(id)

export interface Period {
  period: string
  closed: boolean
  closed_at_seq: number | null
  waiting: 'close_asked' | 'reopen_asked' | null
  waiting_since: string | null
  asked_by: string | null
  late: number
}

export interface LateFact {
  seq: number
  event_id: string
  unit: string
  probe: string
  occurred_at: string
  received_at: string
}

export interface PublicationRequest {
  id: string
  period: string
  upto: string
  peer_group: string
  asked_by: string
  note: string
  asked_at: string
  state: 'asked' | 'refused' | 'confirmed' | 'published'
  decided_by: string
  reason: string
}

export interface Publication {
  id: string
  period: string
  upto: string
  peer_group: string
  framework: string
  at_seq: number
  published_at: string
  replaces: string | null
  files: string[]
}

export interface Bulletin {
  id: string
  publication: string
  kind: string
  kind_title: string
  title: string
  pdf: string
  docx: string
  made_by: string
  made_at: string
}

export interface PublicKeys {
  origin: string
  ledger: string[]
  publisher: string | null
  witnesses: string[]
  witnesses_needed: number
}

export const periods = (signal?: AbortSignal, asOf?: string): Promise<Period[]> =>
  client.get(`${ROOT}/periods`, { query: { as_of: asOf }, signal })
export const askPeriod = (period: string, act: 'close_asked' | 'reopen_asked', reason: string): Promise<{ id: string }> =>
  client.post(`${ROOT}/periods/${one(period)}/requests`, { act, reason })
export const decidePeriod = (period: string, agreed: boolean, reason: string): Promise<void> =>
  client.post(`${ROOT}/periods/${one(period)}/decisions`, { agreed, reason })
export const lateFacts = (period: string, offset: number, limit: number, signal?: AbortSignal, asOf?: string): Promise<LateFact[]> =>
  client.get(`${ROOT}/periods/${one(period)}/late-facts`, { query: { offset, limit, as_of: asOf }, signal })

export const publicationRequests = (signal?: AbortSignal, asOf?: string): Promise<PublicationRequest[]> =>
  client.get(`${ROOT}/publication-requests`, { query: { as_of: asOf }, signal })
export const askPublication = (asked: { period: string; upto: string; peer_group: string; note: string }): Promise<{ id: string }> =>
  client.post(`${ROOT}/publication-requests`, asked)
export const decidePublication = (request: string, agreed: boolean, reason: string): Promise<void> =>
  client.post(`${ROOT}/publication-requests/${one(request)}/decision`, { agreed, reason })

export const publications = (signal?: AbortSignal, asOf?: string): Promise<Publication[]> =>
  client.get(`${ROOT}/public/publications`, { query: { as_of: asOf }, signal })
export const publication = (id: string, signal?: AbortSignal): Promise<Publication> =>
  client.get(`${ROOT}/public/publications/${one(id)}`, { signal })
export const publicKeys = (signal?: AbortSignal): Promise<PublicKeys> => client.get(`${ROOT}/public/keys`, { signal })
export const publicFile = (id: string, name: string): Promise<Blob> =>
  client.file(`${ROOT}/public/publications/${one(id)}/files/${one(name)}`)
export const eventsFile = (id: string): Promise<Blob> => client.file(`${ROOT}/publications/${one(id)}/events`)
export const unitsFile = (id: string): Promise<Blob> => client.file(`${ROOT}/publications/${one(id)}/units`)
export const workbookOf = (id: string): Promise<Blob> => client.file(`${ROOT}/publications/${one(id)}/workbook`)

export const bulletins = (signal?: AbortSignal, asOf?: string): Promise<Bulletin[]> => client.get(`${ROOT}/bulletins`, { query: { as_of: asOf }, signal })
export const makeBulletin = (publicationId: string, kind: string): Promise<Bulletin> =>
  client.post(`${ROOT}/bulletins`, { publication: publicationId, kind })
export const bulletinFile = (id: string, form: 'pdf' | 'docx'): Promise<Blob> =>
  client.file(`${ROOT}/bulletins/${one(id)}/files/${form}`)
