import type { Clue } from '@/api/types'

/** Name of the unit a clue is about; its code when no name came along. */
export function unitName(clue: Clue): string {
  if (!clue.unit) return '—'
  return typeof clue.unit === 'string' ? clue.unit : clue.unit.name
}
