/** Frameworks 考核指标体系: versions, drafts, proposals and decisions. */
import { client } from './client'

const ROOT = '/api/assessment/v1'
const one = (id: string): string => encodeURIComponent(id)

export type VersionState = 'draft' | 'proposed' | 'returned' | 'published' | 'in_force' | 'retired'

export interface FrameworkVersion {
  id: string
  version: string
  title: string
  year: number
  state: VersionState
  digest: string
  draft: string
  source: string
  made_by: string
  made_at: string
  years: number[]
}

export interface Proposal {
  id: string
  act: 'publish' | 'in_force' | 'retire'
  framework: string
  version: string
  draft: string
  year: number
  note: string
  proposed_by: string
  proposed_at: string
  approved: boolean | null
  decided_by: string
  decided_at: string | null
  decision_note: string
}

export interface FrameworkMethod {
  kind: string
  floor?: string
  target?: string
  step?: string
  measured?: boolean
  responses_at_least?: number
}

export interface FrameworkNode {
  code: string
  title: string
  points?: Record<string, string>
  lead?: string
  responsible?: string[]
  warning_below?: string
  veto_below?: string
  method?: FrameworkMethod
  probes?: string[]
  service?: string
  evidence?: string
  basis?: { document: string; version: string; article: string }[]
  children?: FrameworkNode[]
}

export interface FrameworkComponent extends FrameworkNode {
  weight: string
  source: string
  framework?: string
  nodes: FrameworkNode[]
}

export interface FrameworkDocument {
  id: string
  version: string
  title: string
  year: number
  sample?: boolean
  notice?: string
  levels: string[]
  counts: Record<string, number>
  peer_groups: { id: string; title: string }[]
  nodes?: FrameworkNode[]
  components?: FrameworkComponent[]
}

export interface Change {
  kind: string
  code: string
  title: string
  group: string
  before: string
  after: string
  sentence: string
}

export interface Difference {
  against: string
  changes: Change[]
}

export interface Problem {
  path: string
  code: string
  message: string
}

export interface DraftReport {
  draft: string
  framework: string
  version: string
  title: string
  counts: Record<string, number>
  problems: Problem[]
  against: string
  changes: Change[]
}

/** Where a version lives: drafts by their own id, published ones by name. */
const place = (framework: string, version: string, draft: string): string =>
  draft ? `${ROOT}/framework_drafts/${one(draft)}` : `${ROOT}/frameworks/${one(framework)}/${one(version)}`

export const versions = (signal?: AbortSignal): Promise<FrameworkVersion[]> =>
  client.get<FrameworkVersion[]>(`${ROOT}/frameworks`, { signal })

export const proposals = (signal?: AbortSignal, asOf?: string): Promise<Proposal[]> =>
  client.get<Proposal[]>(`${ROOT}/framework_proposals`, { query: { as_of: asOf }, signal })

export const frameworkDocument = (
  framework: string,
  version: string,
  draft: string,
  signal?: AbortSignal,
): Promise<FrameworkDocument> => client.get<FrameworkDocument>(place(framework, version, draft), { signal })

export const difference = (
  framework: string,
  version: string,
  draft: string,
  against: string,
  signal?: AbortSignal,
): Promise<Difference> =>
  client.get<Difference>(`${place(framework, version, draft)}/difference`, {
    query: draft ? {} : { against },
    signal,
  })

export const frameworkFile = (framework: string, version: string, draft: string, form: 'yaml' | 'xlsx'): Promise<Blob> =>
  client.file(`${place(framework, version, draft)}/file?form=${form}`)

export const handIn = (file: File, dryRun: boolean): Promise<DraftReport> => {
  const form = new FormData()
  form.append('file', file)
  return client.upload<DraftReport>(`${ROOT}/framework_drafts?dry_run=${dryRun}`, form)
}

export const copyVersion = (body: {
  framework: string
  version: string
  new_version: string
  year: number
}): Promise<{ id: string }> => client.post(`${ROOT}/framework_drafts/copies`, body)

export const propose = (body: {
  act: Proposal['act']
  draft?: string
  framework?: string
  version?: string
  year?: number
  note?: string
}): Promise<{ id: string }> => client.post(`${ROOT}/framework_proposals`, body)

export const decide = (proposal: string, approved: boolean, note: string): Promise<void> =>
  client.post(`${ROOT}/framework_proposals/${one(proposal)}/decision`, { approved, note })
