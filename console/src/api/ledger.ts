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

export const CHECKPOINT = `${ROOT}/ledger/checkpoint`

export const ledgerStatus = (signal?: AbortSignal): Promise<LedgerStatus> =>
  client.get<LedgerStatus>(`${ROOT}/ledger/status`, { signal })

export const receipts = (unit: string): Promise<Blob> =>
  client.file(`${ROOT}/units/${encodeURIComponent(unit)}/receipts`)
