/** Yearly tasks 年度任务: plans, decomposition, progress, calendar. */
import { client } from './client'

const ROOT = '/api/assessment/v1'
const one = (id: string): string => encodeURIComponent(id)

export interface UnitName {
  code: string
  name: string
}

export interface TaskPlan {
  id: string
  year: number
  title: string
  note: string
  framework: string
  version: string
  published_by: string
  published_at: string
}

export interface TaskArea {
  code: string
  name: string
  total: number
  done: number
  overdue: number
}

export interface Task {
  plan: string
  area: UnitName
  node: string
  title: string
  standard: string
  deliverables: string[]
  revision: number
  due_on: string
  done: boolean
  overdue: boolean
  lead: UnitName
  responsible: UnitName[]
  role: '' | 'lead' | 'responsible'
}

export interface TaskNote {
  kind: 'progress' | 'done' | 'reopened'
  text: string
  unit: UnitName
  noted_by: string
  noted_at: string
}

export interface StatutoryDate {
  title: string
  who: string
  document: string
  article: string
  verified: boolean
}

export interface CalendarDay {
  day: string
  total: number
  tasks: Task[]
  statutory: StatutoryDate[]
}

export interface TaskHome {
  today: string
  open: number
  due_soon: Task[]
  overdue: Task[]
  reminders: { kind: string; reminded_at: string; task: Task }[]
}

const areaRoot = (plan: string, area: string): string => `${ROOT}/task_plans/${one(plan)}/areas/${one(area)}`
const taskRoot = (task: Task): string => `${areaRoot(task.plan, task.area.code)}/tasks/${one(task.node)}`

export const taskPlans = (signal?: AbortSignal, asOf?: string): Promise<TaskPlan[]> =>
  client.get(`${ROOT}/task_plans`, { query: { as_of: asOf }, signal })

export const publishTasks = (body: {
  year: number
  scope: string
  title: string
  note: string
  due_on: string
}): Promise<{ plan: string; areas: number; tasks: number }> => client.post(`${ROOT}/task_plans`, body)

export const taskAreas = (plan: string, signal?: AbortSignal, asOf?: string): Promise<TaskArea[]> =>
  client.get(`${ROOT}/task_plans/${one(plan)}/areas`, { query: { as_of: asOf }, signal })

export const taskTable = (plan: string, area: string, signal?: AbortSignal, asOf?: string): Promise<Task[]> =>
  client.get(areaRoot(plan, area), { query: { as_of: asOf }, signal })

export const taskTableFile = (plan: string, area: string, asOf?: string): Promise<Blob> =>
  client.file(`${areaRoot(plan, area)}/file${asOf ? `?as_of=${asOf}` : ''}`)

export const handInTable = (
  plan: string,
  area: string,
  file: File,
  dryRun: boolean,
): Promise<{ changed: number; dry_run: boolean }> => {
  const form = new FormData()
  form.append('file', file)
  return client.upload(`${areaRoot(plan, area)}/file?dry_run=${dryRun}`, form)
}

export const ownTasks = (offset: number, limit: number, signal?: AbortSignal, asOf?: string): Promise<{ total: number; rows: Task[] }> =>
  client.get(`${ROOT}/tasks`, { query: { offset, limit, as_of: asOf }, signal })

export const homeTasks = (signal?: AbortSignal, asOf?: string): Promise<TaskHome> =>
  client.get(`${ROOT}/home/tasks`, { query: { as_of: asOf }, signal })

export const taskNotes = (task: Task, signal?: AbortSignal, asOf?: string): Promise<TaskNote[]> =>
  client.get(`${taskRoot(task)}/notes`, { query: { as_of: asOf }, signal })

export interface Assignment {
  lead: string
  responsible: string[]
  due_on: string
  reason: string
}

/** How many tasks it changed: none where everything was so already. */
export const assignTask = (task: Task, given: Assignment): Promise<{ changed: number }> => client.post(`${taskRoot(task)}/assignment`, given)
export const tellTask = (task: Task, kind: TaskNote['kind'], text: string): Promise<void> =>
  client.post(`${taskRoot(task)}/notes`, { kind, text })

export const taskMonth = (month: string, signal?: AbortSignal, asOf?: string): Promise<CalendarDay[]> =>
  client.get(`${ROOT}/tasks/calendar`, { query: { month, as_of: asOf }, signal })
