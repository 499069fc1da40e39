/** System administration 系统管理: accounts, grants, lost second factors, and the audit record of every service. */
import { client } from './client'

const ROOT = '/api/gateway/v1'

export interface HeldRole {
  role: string
  title: string
  unit: string
  unit_name: string
}

export interface AccountLine {
  account: string
  name: string
  unit: string
  unit_name: string
  state: 'active' | 'disabled'
  created_at: string
  created_by: string
  must_change: boolean
  factor: 'enrolled' | 'missing' | 'none'
  is_demonstration: boolean
  roles: HeldRole[]
}

export interface GrantLine {
  id: string
  account: string
  account_name: string
  role: string
  role_title: string
  unit: string
  unit_name: string
  state: 'proposed' | 'active' | 'refused' | 'revoked'
  from_on: string | null
  until_on: string | null
  proposed_by: string
  proposed_at: string
  reason: string
  decided_by: string | null
  decided_at: string | null
  note: string
}

export interface RemovalLine {
  id: string
  account: string
  account_name: string
  unit_name: string
  state: 'proposed' | 'done' | 'refused'
  reason: string
  proposed_at: string
  proposed_by: string
  decided_at: string | null
  decided_by: string | null
  note: string
}

export interface AuditLine {
  seq: number
  at: string
  actor: string
  actor_unit: string
  roles: string
  on_behalf_of: string
  address: string
  action: string
  object: string
  object_version: string
  result: string
  reason_code: string
  request: string
}

/** What the last check of the whole log found: `faults` in its first `size` records; `first` is the kind of the first. */
export interface AuditVerdict {
  verified_at: string
  verified_by: string
  size: number
  root: string
  faults: number
  first: string
}

export interface AuditSeal {
  origin: string
  size: number
  sealed: number
  sealed_at: string | null
  root: string
  key_names: string[]
  verified: AuditVerdict | null
}

export interface AuditQuery {
  service: string
  before: number
  actor: string
  action: string
  object: string
  result: string
  since: string
  until: string
}

export const accounts = (query: { query: string; state: string; offset: number; limit: number; as_of?: string }, signal?: AbortSignal): Promise<AccountLine[]> =>
  client.get<AccountLine[]>(`${ROOT}/accounts`, { query, signal })

export const createAccount = (body: { account: string; name: string; unit: string; password: string }): Promise<{ account: string }> =>
  client.post(`${ROOT}/accounts`, body)

export const setAccountState = (account: string, state: 'active' | 'disabled'): Promise<void> =>
  client.post(`${ROOT}/accounts/${encodeURIComponent(account)}/state`, { state })

export const moveAccount = (account: string, unit: string): Promise<void> =>
  client.post(`${ROOT}/accounts/${encodeURIComponent(account)}/unit`, { unit })

export const grants = (query: { state: string; account: string; offset: number; limit: number; as_of?: string }, signal?: AbortSignal): Promise<GrantLine[]> =>
  client.get<GrantLine[]>(`${ROOT}/grants`, { query, signal })

export const proposeGrant = (body: { account: string; role: string; unit: string; from_on: string | null; until_on: string | null; reason: string }): Promise<{ id: string }> =>
  client.post(`${ROOT}/grants`, body)

export const decideGrant = (id: string, approve: boolean, note: string): Promise<void> =>
  client.post(`${ROOT}/grants/${id}/decision`, { approve, note })

export const revokeGrant = (id: string, note: string): Promise<void> => client.delete(`${ROOT}/grants/${id}`, { query: { note } })

export const removals = (signal?: AbortSignal, asOf?: string): Promise<RemovalLine[]> =>
  client.get<RemovalLine[]>(`${ROOT}/factor-removals`, { query: { as_of: asOf }, signal })

export const proposeRemoval = (account: string, reason: string): Promise<{ id: string }> =>
  client.post(`${ROOT}/factor-removals`, { account, reason })

export const decideRemoval = (id: string, approve: boolean, note: string): Promise<void> =>
  client.post(`${ROOT}/factor-removals/${id}/decision`, { approve, note })

export const auditPage = ({ service, ...query }: AuditQuery, limit: number, signal?: AbortSignal): Promise<AuditLine[]> =>
  client.get<AuditLine[]>(`/api/${service}/v1/audit`, { query: { ...query, before: query.before || undefined, limit }, signal })

export const auditSeal = (service: string, signal?: AbortSignal): Promise<AuditSeal> =>
  client.get<AuditSeal>(`/api/${service}/v1/audit/seal`, { signal })
