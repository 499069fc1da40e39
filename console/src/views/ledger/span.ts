/** Lengths of time as people say them: seconds, minutes, hours. */
import { t } from '@/locales'

export function span(seconds: number): string {
  if (seconds < 60) return t('ledger.seconds', { n: seconds })
  if (seconds < 3600) return t('ledger.minutes', { n: Math.floor(seconds / 60) })
  return t('ledger.hours', { n: Math.floor(seconds / 3600) })
}
