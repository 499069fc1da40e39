/** Whose hands may do what with frameworks and tasks; the service decides, this only hides what it would refuse. */
import { computed } from 'vue'

import { useSession } from '@/stores/session'

export function useHands() {
  const session = useSession()
  const roles = computed(() => new Set((session.me?.roles ?? []).map((role) => role.code)))
  const account = computed(() => session.me?.account.id ?? '')
  const mayWrite = computed(() => roles.value.has('reviewer'))
  const mayDecide = computed(() => roles.value.has('reviewer') || roles.value.has('inspector'))
  return { account, mayWrite, mayDecide, roles }
}
