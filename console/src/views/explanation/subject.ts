/** From the name of a business object to its page: "enforcement/cases/<id>"; clues and what assessment keeps have pages of their own. */
export type SubjectLink =
  | { name: 'subject'; params: { service: string; kind: string; id: string } }
  | { name: 'report'; params: { report: string } }
  | { name: 'clue'; params: { receipt: string } }
  | { name: 'order' | 'survey' | 'sheet'; params: { id: string } }

/** Whose hands may open it; what the service would refuse anyway is no link. Everything else is for whoever sees the score. */
const ONLY: Partial<Record<SubjectLink['name'], readonly string[]>> = {
  survey: ['reviewer', 'inspector', 'audit_admin'],
  sheet: ['reviewer', 'inspector', 'audit_admin', 'third_party'],
  clue: ['reviewer', 'inspector'],
}
export const mayOpen = (link: SubjectLink, has: (...roles: string[]) => boolean): boolean => has(...(ONLY[link.name] ?? [])) || !ONLY[link.name]

const OWN = { orders: 'order', surveys: 'survey', sheets: 'sheet' } as const

export function subjectLink(subject: string): SubjectLink | null {
  const [service, kind, ...rest] = subject.split('/')
  const id = rest.join('/')
  if (service === 'assessment' && kind === 'reports' && id) return { name: 'report', params: { report: id } }
  if (service === 'gateway' && kind === 'clues' && id) return { name: 'clue', params: { receipt: id } }
  if (service === 'assessment' && kind && kind in OWN && id) return { name: OWN[kind as keyof typeof OWN], params: { id } }
  return service && kind && id ? { name: 'subject', params: { service, kind, id } } : null
}
