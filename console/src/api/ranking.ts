/** How sure a place is 名次区间, as of 截至, trend 走势, advice 提分建议, what if 假设分析, replay 重放. */
import { client } from './client'
import type { Decimal, Named, NodeStatus, UnitName } from './types'

const ROOT = '/api/assessment/v1'

/** Where a question stands in time: months, and what is taken as known. */
export interface When {
  period?: string
  upto?: string
  as_of?: string
}

export interface RankRange {
  unit: string
  rank: number
  median: string
  low: number
  high: number
  above_next: string | null
  tier: number
  band: number
  place_at_worst: number
  leans_on_gaps: boolean
}

export interface Head {
  period: string
  framework: { id: string; version: string; title: string }
  peer_group: Named
  at_seq: number
  known_at: string | null
}

export interface Intervals extends Head {
  method: { runs: number; confidence: number; interval: [number, number] }
  tiers: { number: number; units: number }[]
  bands: { number: number; units: number }[]
  rows: RankRange[]
}

export const intervals = (peerGroup: string, when: When, signal?: AbortSignal): Promise<Intervals> =>
  client.get<Intervals>(`${ROOT}/rankings/intervals`, { query: { peer_group: peerGroup, ...when }, signal })

export interface Contested {
  /** Unit code to points in dispute 争议分; units without any are left out. */
  units: Record<string, Decimal>
}

export const contested = (peerGroup: string, when: Omit<When, 'upto'>, signal?: AbortSignal): Promise<Contested> =>
  client.get<Contested>(`${ROOT}/rankings/contested`, { query: { peer_group: peerGroup, ...when }, signal })

export interface TrendMonth {
  month: string
  score: Decimal | null
  rank: number | null
  to_date: Decimal | null
  rank_to_date: number | null
}

export interface Trend {
  unit: UnitName
  period: string
  ranked: boolean
  months: TrendMonth[]
}

export const trend = (unit: string, when: When, signal?: AbortSignal): Promise<Trend> =>
  client.get<Trend>(`${ROOT}/units/${encodeURIComponent(unit)}/trend`, { query: { ...when }, signal })

export interface Gain {
  node: string
  title: string
  aspect: string
  status: NodeStatus
  earned: Decimal
  applicable: Decimal
  gain: Decimal
  lifts_veto: boolean
  method: string | null
}

export interface Movement {
  node: string
  title: string
  before: Decimal
  after: Decimal
  change: Decimal
}

export interface Advice {
  unit: UnitName
  period: string
  score: Decimal | null
  since: string
  score_then: Decimal | null
  gains: Gain[]
  movements: Movement[]
}

export const advice = (unit: string, when: When, signal?: AbortSignal): Promise<Advice> =>
  client.get<Advice>(`${ROOT}/units/${encodeURIComponent(unit)}/advice`, { query: { ...when, limit: 8 }, signal })

export interface WhatIfQuestion {
  peer_group: string
  period: string
  as_of?: string
  factors: Record<string, number>
  geometric: boolean
  group_mean: boolean
}

export interface MovedUnit {
  unit: UnitName
  before: Decimal
  after: Decimal
  rank_before: number
  rank: number
  tier: number
  band: number
}

export const whatIf = (question: WhatIfQuestion, signal?: AbortSignal): Promise<Head & { rows: MovedUnit[] }> =>
  client.post<Head & { rows: MovedUnit[] }>(`${ROOT}/what-ifs`, question, { signal })

export interface FrameworkVersion {
  id: string
  version: string
  title: string
  year: number
  state: string
}

export const frameworkVersions = (signal?: AbortSignal): Promise<FrameworkVersion[]> =>
  client.get<FrameworkVersion[]>(`${ROOT}/frameworks`, { signal })

export type ReplayState = 'queued' | 'running' | 'done' | 'failed'

export interface Replay {
  id: string
  framework: string
  period: string
  upto: string
  at_seq: number
  state: ReplayState
  done: number
  total: number
  asked_by: string
  asked_at: string
}

export interface ReplayGroup {
  peer_group: Named
  units: number
  ranked: number
  moved: number
  other_tier: number
  other_band: number
  mean_shift: Decimal | null
  most_won: { code: string; name: string; rank_change: number }[]
  most_lost: { code: string; name: string; rank_change: number }[]
  results_without_data: { node: string; title: string; points: Decimal; units_waiting: number; collected: boolean }[]
}

/** The summary is a sentence where a replay failed. */
export interface ReplayTold extends Replay {
  summary: ReplayGroup[] | string
}

export interface ReplaySide {
  score: Decimal | null
  coverage: Decimal
  rank: number | null
  tier: number | null
  band: number | null
}

export interface ReplayRow {
  unit: UnitName
  before: ReplaySide | null
  after: ReplaySide
  rank_change: number
  reasons: Movement[] | null
}

export const replays = (signal?: AbortSignal): Promise<{ rows: Replay[] }> =>
  client.get<{ rows: Replay[] }>(`${ROOT}/replays`, { signal })

export const replay = (id: string, signal?: AbortSignal): Promise<ReplayTold> =>
  client.get<ReplayTold>(`${ROOT}/replays/${encodeURIComponent(id)}`, { signal })

export const replayRows = (
  id: string,
  page: { peer_group: string; order: 'place' | 'moved'; offset: number; limit: number },
  signal?: AbortSignal,
): Promise<{ total: number; rows: ReplayRow[] }> =>
  client.get<{ total: number; rows: ReplayRow[] }>(`${ROOT}/replays/${encodeURIComponent(id)}/report`, { query: page, signal })

export const askReplay = (asked: { framework: string; version: string; period: string }): Promise<{ id: string }> =>
  client.post<{ id: string }>(`${ROOT}/replays`, asked)

export const replayFile = (id: string, form: 'json' | 'xlsx'): string =>
  `${ROOT}/replays/${encodeURIComponent(id)}/report.${form}`
