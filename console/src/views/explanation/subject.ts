/** From the name of a business object to its page: "enforcement/cases/<id>"; a self-report has a page of its own. */
export type SubjectLink =
  | { name: 'subject'; params: { service: string; kind: string; id: string } }
  | { name: 'report'; params: { report: string } }

export function subjectLink(subject: string): SubjectLink | null {
  const [service, kind, ...rest] = subject.split('/')
  const id = rest.join('/')
  if (service === 'assessment' && kind === 'reports' && id) return { name: 'report', params: { report: id } }
  return service && kind && id ? { name: 'subject', params: { service, kind, id } } : null
}
