/** Warnings 预警, rectification orders 督办 and objections 申诉: what the services answer, and the calls. */
import { client } from './client'
import type { Outcome, UnitName } from './types'

const ROOT = '/api/assessment/v1'

export type OrderState = 'proposed' | 'open' | 'answered' | 'checked' | 'closed'
export type OrderOutcome = 'rectified' | 'unrectified' | 'not_established' | 'in_review_or_court' | 'not_issued'
export type ObjectionState = 'filed' | 'accepted' | 'drafted' | 'correcting' | 'closed'
export type Asked = 'pass' | 'not_applicable'
export type AnswerOutcome = 'upheld' | 'partly' | 'rejected'

export interface Fact {
  kind: string
  title: string
  at: string
  actor: string
  actor_unit: UnitName
  due_at: string | null
  note: string
  detail: Record<string, unknown>
  to: UnitName | null
}

export interface HandedIn {
  digest: string
  media_type: string
  name: string
  size: number
  place: string
}

export interface OrderRow {
  id: string
  title: string
  unit: UnitName
  supervisor: UnitName
  node: string
  state: OrderState
  due_at: string | null
  is_overdue: boolean
  is_escalated: boolean
  relapse_of: string | null
  outcome: OrderOutcome | ''
  started_at: string
  closed_at: string | null
}

export interface Order extends OrderRow {
  reason: string
  proof: string
  matter: string
  issuer: string
  is_late: boolean
  scored_event: string | null
  relapses: string[]
  facts: Fact[]
  files: HandedIn[]
  can: string[]
  outcomes: OrderOutcome[]
}

export interface NewOrder {
  unit: string
  title: string
  reason: string
  proof: string
  due_on: string | null
  checked_not_pending: boolean
}

export interface Warning {
  id: string
  kind: 'line' | 'trend' | 'overdue' | 'finding'
  unit: UnitName
  node: string
  title: string
  seen: {
    score?: number
    line?: number
    count?: number
    months?: string[]
    scores?: number[]
    attainment?: number
    veto_below?: number
    due_on?: string
  }
  raised_at: string
  order: string | null
}

export interface ObjectionRow {
  id: string
  title: string
  unit: UnitName
  state: ObjectionState
  asked: Asked
  outcome: AnswerOutcome | 'refused' | 'withdrawn' | ''
  due_at: string | null
  is_overdue: boolean
  filed_at: string
  closed_at: string | null
}

export interface Objection extends ObjectionRow {
  grounds: string
  filed_by: string
  supervisor: UnitName
  told_at: string | null
  correction: string | null
  replaced: { id: string; seq: number; received_at: string; reason: string } | null
  datum: { id: string; seq: number; source: string; probe: string; outcome: Outcome; reason: string; subject: string; is_corrected: boolean } | null
  facts: Fact[]
  files: HandedIn[]
  can: string[]
}

export interface Page<T> {
  total: number
  rows: T[]
}

export interface OrderFilter {
  state: string
  overdue: boolean
  mine: boolean
  unit?: string
  offset: number
  limit: number
  as_of?: string
}

const at = (kind: 'orders' | 'objections', id: string, act = ''): string =>
  `${ROOT}/${kind}/${encodeURIComponent(id)}${act ? `/${act}` : ''}`

export const orders = (filter: OrderFilter, signal?: AbortSignal): Promise<Page<OrderRow>> =>
  client.get<Page<OrderRow>>(`${ROOT}/orders`, {
    query: { ...filter, overdue: String(filter.overdue), mine: String(filter.mine) },
    signal,
  })

export const order = (id: string, signal?: AbortSignal, asOf?: string): Promise<Order> =>
  client.get<Order>(at('orders', id), { query: { as_of: asOf }, signal })

export const openOrder = (body: NewOrder): Promise<Order> => client.post<Order>(`${ROOT}/orders`, body)

export const actOnOrder = (id: string, act: string, body: Record<string, unknown>): Promise<Order> =>
  client.post<Order>(at('orders', id, act), body)

export const warnings = (kind: string, offset: number, limit: number, signal?: AbortSignal, asOf?: string): Promise<Page<Warning>> =>
  client.get<Page<Warning>>(`${ROOT}/warnings`, { query: { kind, offset, limit, as_of: asOf }, signal })

export const objections = (state: string, offset: number, limit: number, signal?: AbortSignal, asOf?: string): Promise<Page<ObjectionRow>> =>
  client.get<Page<ObjectionRow>>(`${ROOT}/objections`, { query: { state, offset, limit, as_of: asOf }, signal })

export const objection = (id: string, signal?: AbortSignal, asOf?: string): Promise<Objection> =>
  client.get<Objection>(at('objections', id), { query: { as_of: asOf }, signal })

export const fileObjection = (event: string, asked: Asked, grounds: string): Promise<Objection> =>
  client.post<Objection>(`${ROOT}/objections`, { event, asked, grounds })

export const actOnObjection = (id: string, act: string, body?: Record<string, unknown>): Promise<Objection> =>
  client.post<Objection>(at('objections', id, act), body)

export function handIn(kind: 'orders' | 'objections', id: string, file: File): Promise<HandedIn> {
  const form = new FormData()
  form.append('file', file)
  return client.upload<HandedIn>(at(kind, id, 'files'), form)
}
