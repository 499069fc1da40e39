/** The way back: the page before, or, for whoever came by a link, the first page of where they are. */
import { computed, type ComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'

export function useBack(): { cameFrom: ComputedRef<boolean>; back: () => void } {
  const route = useRoute()
  const router = useRouter()
  // Read anew with every page: the router keeps the page before in the entry of the history.
  const cameFrom = computed(() => Boolean(route.fullPath && router.options.history.state.back))
  const back = (): void => void (cameFrom.value ? router.back() : router.push({ name: route.meta.public ? 'public' : 'home' }))
  return { cameFrom, back }
}
