/** Clues 线索 from petition, hotline and litigation systems. */
import { client } from './client'
import type { ClueAmendment, ClueHistory, ClueList } from './types'

const ROOT = '/api/gateway/v1/clues'

export const clues = (state: string, offset: number, limit: number, signal?: AbortSignal): Promise<ClueList> =>
  client.get<ClueList>(ROOT, { query: { state, offset, limit }, signal })

export const clueHistory = (receipt: string, signal?: AbortSignal): Promise<ClueHistory> =>
  client.get<ClueHistory>(`${ROOT}/${encodeURIComponent(receipt)}`, { signal })

/** Amend what is measured about a clue; only while a correction asked waits for it. */
export const amendClue = (receipt: string, body: { kind: ClueAmendment['kind']; on: string | null; reason: string }): Promise<{ id: string }> =>
  client.post(`${ROOT}/${encodeURIComponent(receipt)}/amendments`, body)
