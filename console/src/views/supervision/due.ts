import type { Fact } from '@/api/supervision'
import { dayOf, moment } from '@/format/time'
import { t, word } from '@/locales'

/** A due time is the end of a day: people are shown that day, not the midnight after it. */
export function lastMoment(due: string | null): string | null {
  return due ? new Date(Date.parse(due) - 1000).toISOString() : null
}

/** What a fact says beyond its kind: what a check found, how it ended, whom it went up to, which file. */
function said(kind: 'order' | 'objection', fact: Fact): string {
  const { is_met: isMet, outcome, name } = fact.detail
  if (typeof isMet === 'boolean') return t(isMet ? 'order.act.checkMet' : 'order.act.checkUnmet')
  if (typeof outcome === 'string') return word(`${kind}.outcome`, outcome)
  if (fact.to) return t('order.wentUp', { unit: fact.to.name })
  return typeof name === 'string' ? name : ''
}

/** Facts of a matter as the steps of a timeline: who did what, and until when it set the matter. */
export function stepsOf(kind: 'order' | 'objection', facts: Fact[]): { title: string; when: string; note: string }[] {
  return facts.map((fact) => {
    const more = said(kind, fact)
    const who = fact.actor === 'system' ? '' : `${fact.actor_unit.name} ${fact.actor}`
    const until = fact.due_at && fact.kind !== 'escalated' ? t('order.until', { day: dayOf(lastMoment(fact.due_at)) }) : ''
    return { title: more ? `${fact.title}：${more}` : fact.title, when: moment(fact.at), note: [fact.note, who, until].filter(Boolean).join(' · ') }
  })
}
