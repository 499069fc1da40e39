/** Detection 弄虚作假线索识别: drafts for a person, what is decided about them, and the trial on planted truths. */
import { client } from './client'
import type { UnitName } from './types'

const ROOT = '/api/assessment/v1/detection'

export type SignKind = 'gap' | 'bunching' | 'backdating' | 'copied' | 'reopened'

/** Shares and means in thousandths; which of them there are depends on the kind. */
export interface Seen {
  value?: number
  median?: number
  spread?: number
  peers?: number
  line?: number
  own?: number
  own_count?: number
  outside?: number
  outside_count?: number
  part?: number
  recorded?: number
  times?: number
  digests?: string[]
}

export interface SignDraft {
  id: string
  kind: SignKind
  kind_title: string
  unit: UnitName
  period: string
  seen: Seen
  words: string
  drafted_at: string
  decision: '' | 'confirmed' | 'dismissed'
  reason: string
  decided_by: string
  decided_at: string | null
  others: UnitName[]
  reports: { id: string; node: string }[]
}

export interface Trial {
  size: string
  seed: number
  units: number
  facts: number
  signs: { kind: SignKind; planted: number; found: number; missed: number; false_alarms: number; innocent: number }[]
}

export interface SignPage {
  total: number
  kinds: { kind: SignKind; title: string; total: number; waiting: number }[]
  rows: SignDraft[]
  trial: Trial
}

export const drafts = (query: { period: string; kind: string; offset: number; limit: number; as_of?: string }, signal?: AbortSignal): Promise<SignPage> =>
  client.get<SignPage>(`${ROOT}/drafts`, { query, signal })

export const look = (period: string): Promise<{ new: number }> => client.post<{ new: number }>(`${ROOT}/runs?period=${period}`, {})

export const decide = (draft: string, decision: 'confirmed' | 'dismissed', reason: string): Promise<unknown> =>
  client.post(`${ROOT}/drafts/${encodeURIComponent(draft)}/decision`, { decision, reason })
