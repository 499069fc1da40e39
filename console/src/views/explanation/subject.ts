/** From the name of a business object to its page: "enforcement/cases/<id>". */
export interface SubjectLink {
  name: 'subject'
  params: { service: string; kind: string; id: string }
}

export function subjectLink(subject: string): SubjectLink | null {
  const [service, kind, ...rest] = subject.split('/')
  const id = rest.join('/')
  return service && kind && id ? { name: 'subject', params: { service, kind, id } } : null
}
