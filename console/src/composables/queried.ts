/**
 * A filter kept in the address, so that going back, reloading or sending the link finds the same list. What changes
 * together goes there together: of two moves of the router the second would undo the first.
 */
import { computed, onScopeDispose, ref, watch, type Ref } from 'vue'
import { useRoute, useRouter, type Router } from 'vue-router'

const waiting = new Map<string, string>()
let newest = 0

async function tell(router: Router): Promise<void> {
  const mine = ++newest
  await Promise.resolve()
  if (mine !== newest) return
  const wanted = { ...router.currentRoute.value.query, ...Object.fromEntries(waiting) }
  await router.replace({ query: Object.fromEntries(Object.entries(wanted).filter(([, value]) => value)) })
  if (mine === newest) waiting.clear()
}

/** The filter of this name; `usual` is what it is where the address says nothing. */
export function useQueried(name: string, usual = ''): Ref<string> {
  const route = useRoute()
  const router = useRouter()
  const page = route.name
  const told = computed(() => String(route.query[name] ?? usual))
  const chosen = ref(told.value)

  watch(told, (now) => {
    if (route.name === page && !waiting.has(name)) chosen.value = now
  })
  watch(chosen, (now) => {
    const wanted = now.trim() === usual ? '' : now.trim()
    if (route.name !== page || (wanted || usual) === told.value) return
    waiting.set(name, wanted)
    void tell(router)
  })
  onScopeDispose(() => waiting.delete(name))
  return chosen
}
