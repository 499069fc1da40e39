/**
 * Loading one answer: the newest request wins, an older one is stopped, the old data stays on screen
 * while the new is fetched.
 */
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef, type WatchSource } from 'vue'

import { ApiError, isAbort, unreachable } from '@/api/errors'

export interface Load<T> {
  data: ShallowRef<T | null>
  error: ShallowRef<ApiError | null>
  pending: Ref<boolean>
  reload: () => Promise<void>
}

export function useLoad<T>(fetcher: (signal: AbortSignal) => Promise<T>, sources: WatchSource[] = []): Load<T> {
  const data = shallowRef<T | null>(null)
  const error = shallowRef<ApiError | null>(null)
  const pending = ref(false)
  let running: AbortController | null = null

  async function reload(): Promise<void> {
    running?.abort()
    const mine = new AbortController()
    running = mine
    pending.value = true
    error.value = null
    try {
      const answer = await fetcher(mine.signal)
      if (running === mine) data.value = answer
    } catch (cause) {
      if (running === mine && !isAbort(cause)) {
        error.value = cause instanceof ApiError ? cause : unreachable(cause)
        data.value = null
      }
    } finally {
      if (running === mine) pending.value = false
    }
  }

  watch(sources, reload, { immediate: true })
  onScopeDispose(() => running?.abort())
  return { data, error, pending, reload }
}
