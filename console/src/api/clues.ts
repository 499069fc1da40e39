/** Clues 线索 from petition, hotline and litigation systems. */
import { client } from './client'
import type { ClueHistory, ClueList } from './types'

const ROOT = '/api/gateway/v1/clues'

export const clues = (state: string, offset: number, limit: number, signal?: AbortSignal): Promise<ClueList> =>
  client.get<ClueList>(ROOT, { query: { state, offset, limit }, signal })

export const clueHistory = (receipt: string, signal?: AbortSignal): Promise<ClueHistory> =>
  client.get<ClueHistory>(`${ROOT}/${encodeURIComponent(receipt)}`, { signal })
