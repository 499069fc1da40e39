/** The business object behind an event: case 案件, decision 决策, reconsideration 复议. */
import { client } from './client'
import type { Subject } from './types'

export const subject = (service: string, kind: string, id: string, signal?: AbortSignal): Promise<Subject> =>
  client.get<Subject>(`/api/${[service, 'v1', kind, id].map(encodeURIComponent).join('/')}`, { signal })
