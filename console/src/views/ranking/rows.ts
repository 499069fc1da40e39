/**
 * Reading a whole ranking: the first page at once, the rest behind it, so that the table can be used
 * while a province of 8,300 units is still arriving.
 */
import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef, type WatchSource } from 'vue'

import { ranking, type RankingPage } from '@/api/assessment'
import { ApiError, isAbort, unreachable } from '@/api/errors'
import type { Ranking, RankingRow } from '@/api/types'

const FIRST = 100
const NEXT = 500

export interface RankingRows {
  head: ShallowRef<Ranking | null>
  rows: ShallowRef<RankingRow[]>
  pending: Ref<boolean>
  complete: ComputedRef<boolean>
  changed: Ref<boolean>
  error: ShallowRef<ApiError | null>
  reload: () => Promise<void>
}

type Wanted = Omit<RankingPage, 'offset' | 'limit'>

export function useRankingRows(wanted: () => Wanted | null, sources: WatchSource[]): RankingRows {
  const head = shallowRef<Ranking | null>(null)
  const rows = shallowRef<RankingRow[]>([])
  const pending = ref(false)
  const changed = ref(false)
  const error = shallowRef<ApiError | null>(null)
  const complete = computed(() => head.value !== null && rows.value.length >= head.value.total)
  let running: AbortController | null = null

  async function reload(): Promise<void> {
    running?.abort()
    const which = wanted()
    if (!which) return
    const mine = new AbortController()
    running = mine
    pending.value = true
    error.value = null
    changed.value = false
    try {
      await readAll(which, mine)
    } catch (cause) {
      if (running !== mine || isAbort(cause)) return
      error.value = cause instanceof ApiError ? cause : unreachable(cause)
    } finally {
      if (running === mine) pending.value = false
    }
  }

  async function readAll(which: Wanted, mine: AbortController): Promise<void> {
    const first = await ranking({ ...which, offset: 0, limit: FIRST }, mine.signal)
    if (running !== mine) return
    head.value = first
    rows.value = first.rows
    const seen = new Set(first.rows.map((row) => row.unit.code))
    let offset = first.rows.length
    while (offset < first.total) {
      const page = await ranking({ ...which, offset, limit: NEXT }, mine.signal)
      if (running !== mine || page.rows.length === 0) return
      // Ranks can move between two pages: a unit is shown once, and the reader is told.
      if (page.at_seq !== first.at_seq) changed.value = true
      rows.value = rows.value.concat(page.rows.filter((row) => !seen.has(row.unit.code)))
      for (const row of page.rows) seen.add(row.unit.code)
      offset += page.rows.length
    }
    if (rows.value.length < first.total) head.value = { ...first, total: rows.value.length }
  }

  watch(sources, reload, { immediate: true })
  onScopeDispose(() => running?.abort())
  return { head, rows, pending, complete, changed, error, reload }
}
