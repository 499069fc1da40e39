/**
 * What the services answer, in one place. Written by hand after the HTTP contract; decimals and times
 * are strings (see format/). A page never invents a field that is not here.
 */

export type Decimal = string

export interface FieldProblem {
  path: string
  code: string
  message: string
}

export interface ErrorBody {
  code: string
  message: string
  fields?: FieldProblem[]
  request_id?: string
}

// identity

export interface Role {
  code: string
  title: string
}

export interface Me {
  account: { id: string; name: string }
  unit: { code: string; name: string; path: string }
  roles: Role[]
  csrf: string
  /** Nothing may be done before a second factor is enrolled. */
  must_enrol: boolean
}

export interface DemonstrationAccount {
  account: string
  password: string
  title: string
  unit_name: string
}

export interface Demonstration {
  accounts: DemonstrationAccount[]
  province: string
  size: string
  seed: number
}

// assessment

export interface Named {
  id: string
  title: string
}

export interface Framework {
  id: string
  version: string
  title: string
  year: number | string
  sample: boolean
  notice: string
  counts: { aspects: number; measures: number; results: number }
  peer_groups: (Named & { units: number })[]
  periods: string[]
}

export interface UnitName {
  code: string
  name: string
  region_code?: string
  /** The name of the unit above it, where it is told. */
  above?: string
}

export interface RankedAspect {
  node: string
  title: string
  score: Decimal | null
}

/** Credibility 可信度: shares of what was counted by how it came; empty where nothing was. */
export type Credibility = Partial<Record<'reported' | 'entered' | 'real_time' | 'external', Decimal>>

export interface RankingRow {
  rank: number | null
  tied: boolean
  unit: UnitName
  score: Decimal | null
  coverage: Decimal
  vetoes: number
  events: number
  aspects: RankedAspect[]
  credibility: Credibility
}

export interface Ranking {
  period: string
  framework: { id: string; version: string; title: string }
  peer_group: Named
  at_seq: number
  known_at: string
  total: number
  rows: RankingRow[]
}

export type NodeLevel = 'total' | 'aspect' | 'measure' | 'result'
export type NodeStatus = 'scored' | 'not_applicable' | 'not_computable' | 'not_due'

export interface ScoreNode {
  node: string
  title: string
  level: NodeLevel
  points: Decimal
  applicable: Decimal
  earned: Decimal
  attainment: Decimal | null
  status: NodeStatus
  coverage: Decimal
  veto: boolean
  contribution: Decimal | null
  credibility: Credibility
  children?: ScoreNode[]
}

export interface UnitScore {
  unit: UnitName
  period: string
  framework: { id: string; version: string; title: string } | string
  peer_group: Named | string | null
  score: Decimal | null
  coverage: Decimal
  rank: number | null
  ranked_units: number
  tree: ScoreNode
}

export interface Basis {
  document: string
  version: string
  article: string
}

export interface Tally {
  probe: string
  title: string
  passed: number
  failed: number
  not_applicable: number
  not_computable: number
  not_due: number
  numerator: number | string
  denominator: number | string
  attainment: Decimal | null
  basis: Basis[]
}

export type Outcome = 'pass' | 'fail' | 'not_applicable' | 'not_computable' | 'not_due'

export interface Evidence {
  digest: string
  media_type: string
  name: string
  place: string
}

/** How far an event has come in the ledger 入账状态. */
export type EntryState = '已入账' | '已封块' | '已见证'

export interface CountedEvent {
  seq: number
  id: string
  source: string
  probe: string
  unit: string
  outcome: Outcome
  score: Decimal | null
  subject: string
  occurred_at: string
  recorded_at: string
  mode: string
  reason: string
  basis: Basis[]
  evidence: Evidence[]
  corrects: string | null
  corrected_by: string | null
  leaf_hash: string
  state: EntryState
}

export interface Explanation {
  unit: UnitName
  node: ScoreNode
  ancestors: { node: string; title: string }[]
  method: { kind: string; text: string } | null
  arithmetic: string[]
  tallies: Tally[]
  events: { total: number; rows: CountedEvent[] }
}

// subjects behind events

export interface Subject {
  title: string
  fields: { label: string; value: string | number | null }[]
  timeline?: { label: string; on: string | null }[]
}

// legislation

export interface ArticleHit {
  document: Named
  version: string
  article: string
  snippet: string
}

export interface ArticleSearch {
  total: number
  degraded: boolean
  rows: ArticleHit[]
}

export interface ArticleText {
  document: string | Named
  version: string
  status: string
  article: string
  text: string
  chapter: string | null
  citations: number
}

// clues

export interface Clue {
  receipt: string
  system: string
  external_id: string
  kind: string
  title: string
  state: string
  unit: string | UnitName | null
  received_at: string
  due_at: string | null
}

export interface ClueProgress {
  state: string
  note: string
  subject: string
  recorded_at: string
}

export interface ClueList {
  rows: Clue[]
  total: number
}

/** What an upheld objection has amended 更正: the moments before and after, and why. */
export interface ClueAmendment {
  kind: 'due' | 'answered' | 'excluded'
  former: string | null
  amended: string | null
  reason: string
  recorded_at: string
}

export type ClueHistory = Clue & { progress: ClueProgress[]; amendments: ClueAmendment[] }
