/** Framework 考核体系, ranking 排名, score 得分 and explanation 解释. */
import { client } from './client'
import type { EntryState, Explanation, Framework, Outcome, Ranking, UnitScore } from './types'

const ROOT = '/api/assessment/v1'

export const framework = (period: string | undefined, signal?: AbortSignal): Promise<Framework> =>
  client.get<Framework>(`${ROOT}/frameworks/current`, { query: { period }, signal })

export interface RankingPage {
  period: string
  peerGroup: string
  upto?: string
  asOf?: string
  offset: number
  limit: number
}

export const ranking = (page: RankingPage, signal?: AbortSignal): Promise<Ranking> =>
  client.get<Ranking>(`${ROOT}/rankings`, {
    query: { period: page.period, peer_group: page.peerGroup, upto: page.upto, as_of: page.asOf, offset: page.offset, limit: page.limit },
    signal,
  })

export const unitScore = (
  unit: string,
  period: string | undefined,
  signal?: AbortSignal,
  asOf?: string,
): Promise<UnitScore> =>
  client.get<UnitScore>(`${ROOT}/units/${encodeURIComponent(unit)}/score`, { query: { period, as_of: asOf }, signal })

/** How far the events behind each leaf of the tree have come in the ledger. */
export const ledgerEntries = (unit: string, when: { period?: string; as_of?: string }, signal?: AbortSignal): Promise<{ leaves: { node: string; state: EntryState }[] }> =>
  client.get(`${ROOT}/units/${encodeURIComponent(unit)}/entries`, { query: when, signal })

export interface Question {
  unit: string
  node: string
  period?: string
  as_of?: string
  probe?: string
  outcome?: Outcome | ''
  offset?: number
  limit?: number
}

export const explanation = (question: Question, signal?: AbortSignal): Promise<Explanation> => {
  const { unit, ...query } = question
  return client.get<Explanation>(`${ROOT}/units/${encodeURIComponent(unit)}/explanation`, { query, signal })
}
