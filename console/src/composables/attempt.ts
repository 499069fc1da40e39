/** Doing what may be refused, where the words of the refusal stand beside the form: whether it runs, and why it was not done. */
import { ref } from 'vue'

import { ApiError } from '@/api/errors'
import { explained } from '@/components/say'

export function useAttempt() {
  const busy = ref(false)
  const problem = ref('')

  /** Whether it was done. */
  async function attempt(act: () => Promise<unknown>): Promise<boolean> {
    busy.value = true
    problem.value = ''
    try {
      await act()
      return true
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      problem.value = explained(error)
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, problem, attempt }
}
