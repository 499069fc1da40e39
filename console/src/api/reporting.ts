/** Self-reports 指标填报 and their reviews 指标审核. */
import { client, type Query } from './client'

const REPORTS = '/api/assessment/v1/reports'
const REVIEWS = '/api/assessment/v1/reviews'
const one = (id: string): string => encodeURIComponent(id)

export interface Aspect {
  id: string
  title: string
}

export interface AskedRow {
  id: string
  result: string
  title: string
  aspect: string
  points: string
  needs_value: boolean
  state: string
  state_text: string
  version: number
  round: number
  score: string | null
  due_on: string
  overdue: boolean
  changed_at: string | null
}

export interface Asked {
  period: string
  unit: { code: string; name: string }
  counts: Record<string, number>
  overdue: number
  aspects: Aspect[]
  rows: AskedRow[]
}

export interface EvidenceItem {
  kind: 'file' | 'object'
  reference: string
  name: string
  media_type: string
}

export interface ReportContent {
  statement: string
  numerator: number | null
  denominator: number | null
  suggested: string | null
  evidence: EvidenceItem[]
}

export interface ReportResult {
  code: string
  title: string
  method: string
  needs_value: boolean
  standard: string
  basis: { document: string; version: string; article: string }[]
}

export interface ReportEvent {
  number: number
  act: string
  round: number
  version: number
  actor: string
  at: string
  reasons: string
  score_milli: number | null
}

export interface Report {
  id: string
  period: string
  unit: { code: string; name: string }
  result: ReportResult
  state: string
  state_text: string
  version: number
  shown_version: number
  round: number
  score: string | null
  due_on: string
  overdue: boolean
  is_own: boolean
  writable: boolean
  content: ReportContent
  lacking: string[]
  versions: { version: number; written_by: string; written_at: string }[]
  events: ReportEvent[]
  statement_characters: number
  evidence_items: number
}

export interface Draft {
  version: number
  statement: string
  value: { numerator: number; denominator: number } | null
  evidence: { kind: string; reference: string }[]
}

export interface KnownObject {
  subject: string
  title: string
  outcome: string
  occurred_at: string
}

export interface KeptFile {
  digest: string
  media_type: string
  size: number
  name: string
}

export interface WorkbookReport {
  digest: string
  name: string
  state: 'checked' | 'refused' | 'imported'
  rows: number
  faults: { row: number; column: string; code: string; value: string; message: string }[]
}

export interface QueueRow {
  id: string
  result: string
  title: string
  aspect: string
  unit: string
  unit_name: string
  period: string
  round: number
  state: string
  is_arbitration: boolean
  suggested: string | null
  due_on: string
  overdue: boolean
  submitted_at: string | null
  opened_at: string | null
  done_at: string | null
}

export interface Queue {
  total: number
  overdue: number
  aspects: Aspect[]
  rows: QueueRow[]
}

export interface AreaRow extends QueueRow {
  reviewer: string
  reviewer_name: string
  to_hand_on: boolean
}

export interface Area {
  total: number
  overdue: number
  unassigned: number
  to_hand_on: number
  rows: AreaRow[]
}

/** A self-report that a unit of an inspector's area handed in. */
export interface HandedIn {
  id: string
  title: string
  unit_name: string
  state: string
  round: number
  due_on: string
  submitted_at: string | null
}

export const areaReports = (
  state: string,
  offset: number,
  limit: number,
  signal?: AbortSignal,
  asOf?: string,
): Promise<{ total: number; rows: HandedIn[] }> =>
  client.get(`${REPORTS}/area`, { query: { ...(state && { state }), offset, limit, as_of: asOf }, signal })

export interface Mark {
  decision: 'score' | 'return'
  score: string | null
  numerator: number | null
  denominator: number | null
  reasons: string
}

export interface Review {
  id: string
  report: string
  period: string
  round: number
  unit: { code: string; name: string }
  result: ReportResult
  content: ReportContent
  state: string
  state_text: string
  is_arbitration: boolean
  is_open: boolean
  due_on: string
  overdue: boolean
  mark: Mark | null
  others: Mark[]
  returned_before: string[]
}

export interface Answer {
  decision: 'score' | 'return'
  reasons: string
  score_milli?: number
  value?: { numerator: number; denominator: number }
}

export interface Done {
  assignment: string
  done: boolean
  code: string
  message: string
}

export interface Agreement {
  period: string
  pairs: number
  within: number
  within_share: string | null
  mean_difference: string | null
  alpha: string | null
  arbitrated: number
  tolerance: string
}

export const asked = (query: Query, signal?: AbortSignal): Promise<Asked> => client.get(REPORTS, { query, signal })
export const openReport = (result: string, period: string): Promise<{ id: string }> =>
  client.post(REPORTS, { result, period })
export const report = (id: string, version: number, signal?: AbortSignal, asOf?: string): Promise<Report> =>
  client.get(`${REPORTS}/${one(id)}`, { query: { version: version || undefined, as_of: asOf }, signal })
export const saveDraft = (id: string, draft: Draft): Promise<{ version: number }> =>
  client.post(`${REPORTS}/${one(id)}/draft`, draft)
export const submitReport = (id: string, version: number): Promise<unknown> =>
  client.post(`${REPORTS}/${one(id)}/submission`, { version })
export const withdrawReport = (id: string, reasons: string): Promise<unknown> =>
  client.post(`${REPORTS}/${one(id)}/withdrawal`, { reasons })
export const knownObjects = (id: string, search: string, signal?: AbortSignal): Promise<KnownObject[]> =>
  client.get(`${REPORTS}/${one(id)}/objects`, { query: { search }, signal })

export function uploadEvidence(id: string, file: File, progress: (share: number) => void): Promise<KeptFile> {
  const form = new FormData()
  form.append('file', file)
  return client.upload(`${REPORTS}/${one(id)}/files`, form, progress)
}

export const reportFile = (id: string, digest: string, asOf?: string): Promise<Blob> =>
  client.file(`${REPORTS}/${one(id)}/files/${one(digest)}${asOf ? `?as_of=${asOf}` : ''}`)
export const workbook = (period: string): Promise<Blob> => client.file(`${REPORTS}/workbook?period=${one(period)}`)

export function checkWorkbook(file: File, period: string): Promise<WorkbookReport> {
  const form = new FormData()
  form.append('file', file)
  form.append('period', period)
  return client.upload(`${REPORTS}/workbooks`, form)
}

export const confirmWorkbook = (digest: string): Promise<WorkbookReport> =>
  client.post(`${REPORTS}/workbooks/${one(digest)}/confirm`, {})

export const queue = (query: Query, signal?: AbortSignal): Promise<Queue> => client.get(REVIEWS, { query, signal })
export const review = (id: string, signal?: AbortSignal, asOf?: string): Promise<Review> =>
  client.get(`${REVIEWS}/${one(id)}`, { query: { as_of: asOf }, signal })
export const openReview = (id: string): Promise<void> => client.post(`${REVIEWS}/${one(id)}/opening`, {})
export const answerReview = (id: string, answer: Answer): Promise<{ state: string; state_text: string }> =>
  client.post(`${REVIEWS}/${one(id)}/answer`, answer)
export const answerMany = (decision: string, reasons: string, assignments: string[]): Promise<Done[]> =>
  client.post(`${REVIEWS}/many`, { decision, reasons, assignments })
export const reviewFile = (id: string, digest: string, asOf?: string): Promise<Blob> =>
  client.file(`${REVIEWS}/${one(id)}/files/${one(digest)}${asOf ? `?as_of=${asOf}` : ''}`)
export const membership = (signal?: AbortSignal): Promise<{ active: boolean }> =>
  client.get(`${REVIEWS}/membership`, { signal })
export const joinReviewers = (): Promise<{ active: boolean }> => client.post(`${REVIEWS}/membership`, {})
export const agreement = (period: string, signal?: AbortSignal, asOf?: string): Promise<Agreement> =>
  client.get(`${REVIEWS}/agreement`, { query: { period, as_of: asOf }, signal })
export const areaReviews = (only: '' | 'overdue' | 'to_hand_on', signal?: AbortSignal, asOf?: string): Promise<Area> =>
  client.get(`${REVIEWS}/area`, { query: { ...(only && { [only]: 'true' }), limit: 200, as_of: asOf }, signal })
export const handOn = (id: string, reason: string): Promise<unknown> =>
  client.post(`${REVIEWS}/${one(id)}/handing-on`, { reason })
