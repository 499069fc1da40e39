/** Whose hands may do what; the service decides, this only hides what it would refuse. */
import { computed } from 'vue'

import { useSession } from '@/stores/session'

export function useHands() {
  const session = useSession()
  const roles = computed(() => new Set<string>((session.me?.roles ?? []).map((role) => role.code)))
  const account = computed(() => session.me?.account.id ?? '')
  const has = (...codes: string[]): boolean => codes.some((code) => roles.value.has(code))
  const mayWrite = computed(() => has('reviewer'))
  const mayDecide = computed(() => has('reviewer', 'inspector'))
  return { account, has, mayDecide, mayWrite }
}
