import type { Fact } from '@/api/supervision'
import { moment } from '@/format/time'
import { t } from '@/locales'

/** A due time is the end of a day: people are shown that day, not the midnight after it. */
export function lastMoment(due: string | null): string | null {
  return due ? new Date(Date.parse(due) - 1000).toISOString() : null
}

/** Facts of a matter as the steps of a timeline: who did what, and until when it set the matter. */
export function stepsOf(facts: Fact[]): { title: string; when: string; note: string }[] {
  return facts.map((fact) => {
    const who = fact.actor === 'system' ? '' : `${fact.actor_unit.name} ${fact.actor}`
    const until = fact.due_at && fact.kind !== 'escalated' ? t('order.until', { day: moment(lastMoment(fact.due_at)).slice(0, 10) }) : ''
    const name = typeof fact.detail.name === 'string' ? fact.detail.name : ''
    return { title: fact.title, when: moment(fact.at), note: [fact.note, name, who, until].filter(Boolean).join(' · ') }
  })
}
