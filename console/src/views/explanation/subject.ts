import { t, word } from '@/locales'

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

/** Business objects that the services show. */
const SHOWN = ['enforcement/cases', 'decisions/decisions', 'disputes/reconsiderations', 'legislation/normative-documents']

/** How a business object is called where only its name is known: what it is, and the part of its number that tells it apart. */
export function objectName(reference: string): string {
  const [service, kind, ...rest] = reference.split('/')
  const key = `${service}.${kind}`
  const title = word('subject.kind', key)
  return `${title === key ? t('subject.kind.other') : title} ${rest.join('/').slice(0, 8)}`
}

const OWN = { orders: 'order', surveys: 'survey', sheets: 'sheet' } as const

export function subjectLink(subject: string): SubjectLink | null {
  const [service, kind, ...rest] = subject.split('/')
  const id = rest.join('/')
  if (service === 'assessment' && kind === 'reports' && id) return { name: 'report', params: { report: id } }
  if (service === 'gateway' && kind === 'clues' && id) return { name: 'clue', params: { receipt: id } }
  if (service === 'assessment' && kind && kind in OWN && id) return { name: OWN[kind as keyof typeof OWN], params: { id } }
  return id && SHOWN.includes(`${service}/${kind}`) ? { name: 'subject', params: { service: service!, kind: kind!, id } } : null
}
