import type { Replay } from '@/api/ranking'
import { t } from '@/locales'

/** How far a replay is, in words. */
export function stateWord(one: Replay): string {
  const percent = one.total > 0 ? Math.floor((one.done / one.total) * 100) : 0
  if (one.state === 'queued') return t('analysis.state.queued')
  if (one.state === 'running') return t('analysis.state.running', { percent })
  return one.state === 'done' ? t('analysis.state.done') : t('analysis.state.failed')
}
