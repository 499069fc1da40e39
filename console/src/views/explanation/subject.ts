/** From the name of a business object to its page: "enforcement/cases/<id>"; what assessment keeps has pages of its own. */
export type SubjectLink =
  | { name: 'subject'; params: { service: string; kind: string; id: string } }
  | { name: 'report'; params: { report: string } }
  | { name: 'order' | 'survey' | 'sheet'; params: { id: string } }

const OWN = { orders: 'order', surveys: 'survey', sheets: 'sheet' } as const

export function subjectLink(subject: string): SubjectLink | null {
  const [service, kind, ...rest] = subject.split('/')
  const id = rest.join('/')
  if (service === 'assessment' && kind === 'reports' && id) return { name: 'report', params: { report: id } }
  if (service === 'assessment' && kind && kind in OWN && id) return { name: OWN[kind as keyof typeof OWN], params: { id } }
  return service && kind && id ? { name: 'subject', params: { service, kind, id } } : null
}
