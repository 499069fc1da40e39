/** Ledger 存证账本: how far the log is sealed and witnessed, and the receipts of a unit. */
import { client } from './client'

const ROOT = '/api/assessment/v1'

export interface WitnessStanding {
  name: string
  size: number
  witnessed_at: string | null
}

export interface LedgerAlarm {
  witness: string
  kind: string
  size: number
  detail: string
}

export interface LedgerStatus {
  origin: string
  sequenced: number
  sealed: number
  sealed_at: string | null
  witnessed: number
  witnesses_needed: number
  oldest_unsealed_seconds: number | null
  oldest_unwitnessed_seconds: number | null
  witnesses: WitnessStanding[]
  alarms: LedgerAlarm[]
  verified: { at: string; size: number; faults: number } | null
  refusal: string
  limits: string
}

const asKnown = (asOf?: string): string => (asOf ? `?as_of=${asOf}` : '')

export const checkpoint = (asOf?: string): string => `${ROOT}/ledger/checkpoint${asKnown(asOf)}`

export const ledgerStatus = (signal?: AbortSignal, asOf?: string): Promise<LedgerStatus> =>
  client.get<LedgerStatus>(`${ROOT}/ledger/status`, { query: { as_of: asOf }, signal })

export const receipts = (unit: string, asOf?: string): Promise<Blob> =>
  client.file(`${ROOT}/units/${encodeURIComponent(unit)}/receipts${asKnown(asOf)}`)
