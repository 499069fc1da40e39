/** External components 外部评价: surveys 民意调查 and sheets of on-site checks and third parties 查验单. */
import { client } from './client'

const ROOT = '/api/assessment/v1'
const one = (id: string): string => encodeURIComponent(id)

export type Way = 'telephone' | 'on_site' | 'web' | 'questionnaire'

export interface SurveyQuestion {
  id: string
  text: string
  result: string
  options: { text: string; marks: number }[]
}

export interface SurveyProgress {
  unit: string
  name: string
  codes: number
  answers: number
  counted: number
}

export interface Survey {
  id: string
  framework: string
  period: string
  title: string
  way: Way
  way_title: string
  opens_on: string
  closes_on: string
  questions: SurveyQuestion[]
  answers: number | null
  progress: SurveyProgress[] | null
}

export interface NewSurvey {
  framework: string
  period: string
  title: string
  way: Way
  opens_on: string
  closes_on: string
  questions: SurveyQuestion[]
}

/** What becomes of results that these upheld objections corrected. */
export interface SaidOfUpheld {
  keep: string[]
  replace: string[]
  reason: string
}

export interface TakenFile {
  answers: number
  units: number
  faults: { row: number; column: string; code: string; message: string }[]
  digest: string
  taken: boolean
}

export interface Paper {
  title: string
  unit: string
  closes_on: string
  questions: { id: string; text: string; options: string[] }[]
}

export interface SheetRow {
  id: string
  kind: 'on_site' | 'third_party'
  kind_title: string
  period: string
  unit: string
  unit_name: string
  assignee: string
  due_on: string
  issued_at: string
  versions: number
  results: number
}

export interface SheetItem {
  result: string
  marks: number
  reasons: string
}

export interface Sheet extends SheetRow {
  asked: { result: string; title: string }[]
  handed_in: { version: number; account?: string; reason: string; handed_in_at: string; items: SheetItem[] }[]
  files: { digest: string; name: string; size: number; media_type: string }[]
}

export interface HandOut {
  kind: SheetRow['kind']
  period: string
  units: string[]
  results: string[]
  assignee: string
  due_on: string
}

export const surveys = (signal?: AbortSignal, asOf?: string): Promise<Survey[]> =>
  client.get(`${ROOT}/surveys`, { query: { as_of: asOf }, signal })
export const survey = (id: string, signal?: AbortSignal, asOf?: string): Promise<Survey> =>
  client.get(`${ROOT}/surveys/${one(id)}`, { query: { as_of: asOf }, signal })
export const setUpSurvey = (asked: NewSurvey): Promise<{ id: string }> => client.post(`${ROOT}/surveys`, asked)
export const issueCodes = (id: string, unit: string, count: number): Promise<{ codes: string[] }> =>
  client.post(`${ROOT}/surveys/${one(id)}/codes`, { unit, count })
export const countSurvey = (id: string, said: Partial<SaidOfUpheld> = {}): Promise<{ facts: number }> => client.post(`${ROOT}/surveys/${one(id)}/count`, said)

export function takeAnswers(id: string, file: File, digest = ''): Promise<TakenFile> {
  const form = new FormData()
  form.append('file', file)
  form.append('digest', digest)
  return client.upload(`${ROOT}/surveys/${one(id)}/files`, form)
}

export const surveyPaper = (code: string): Promise<Paper> => client.post(`${ROOT}/public/survey-paper`, { code })
export const answerSurvey = (code: string, answers: Record<string, string>): Promise<{ message: string }> =>
  client.post(`${ROOT}/public/survey-answers`, { code, answers })

export const sheets = (signal?: AbortSignal, asOf?: string): Promise<SheetRow[]> =>
  client.get(`${ROOT}/sheets`, { query: { as_of: asOf }, signal })
export const sheet = (id: string, signal?: AbortSignal, asOf?: string): Promise<Sheet> =>
  client.get(`${ROOT}/sheets/${one(id)}`, { query: { as_of: asOf }, signal })
export const handOut = (asked: HandOut): Promise<{ ids: string[] }> => client.post(`${ROOT}/sheets`, asked)
export const handInSheet = (id: string, version: number, items: SheetItem[], reason: string, replaces: string[] = []): Promise<{ version: number }> =>
  client.post(`${ROOT}/sheets/${one(id)}/versions`, { version, items, reason, replaces })
export const sheetFile = (id: string, digest: string, asOf?: string): Promise<Blob> =>
  client.file(`${ROOT}/sheets/${one(id)}/files/${one(digest)}${asOf ? `?as_of=${asOf}` : ''}`)

export function addSheetFile(id: string, file: File): Promise<unknown> {
  const form = new FormData()
  form.append('file', file)
  return client.upload(`${ROOT}/sheets/${one(id)}/files`, form)
}

/** Units of the directory whose name contains these words. */
export const directoryUnits = async (query: string): Promise<{ code: string; name: string }[]> =>
  (await client.get<{ rows: { code: string; name: string }[] }>('/api/gateway/v1/units', { query: { query, limit: 20 } })).rows
