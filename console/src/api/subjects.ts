/** The business object behind an event: case 案件, decision 决策, reconsideration 复议. */
import { client } from './client'
import type { Page } from './supervision'
import type { Outcome, Subject, UnitName } from './types'

/** A correction asked 更正通知: an upheld objection against a datum of the service. */
export interface Correction {
  id: string
  objection: string
  event: string
  unit: UnitName
  subject: string
  outcome: Outcome
  reason: string
  state: 'waiting' | 'corrected'
  due_at: string
  is_overdue: boolean
  asked_at: string
}

export const subject = (service: string, kind: string, id: string, signal?: AbortSignal): Promise<Subject> =>
  client.get<Subject>(`/api/${[service, 'v1', kind, id].map(encodeURIComponent).join('/')}`, { signal })

/** What a service was asked to correct and has not corrected yet, what is due first. */
export const correctionsAsked = (service: string, signal?: AbortSignal): Promise<Page<Correction>> =>
  client.get<Page<Correction>>(`/api/${encodeURIComponent(service)}/v1/corrections-asked`, { query: { state: 'waiting', limit: 50 }, signal })
