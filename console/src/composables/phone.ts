/** Whether the window is narrow; the same border as the style sheets use. */
import { onScopeDispose, ref, type Ref } from 'vue'

export function usePhone(): Ref<boolean> {
  const query = window.matchMedia('(max-width: 760px)')
  const phone = ref(query.matches)
  const follow = (): void => {
    phone.value = query.matches
  }
  query.addEventListener('change', follow)
  onScopeDispose(() => query.removeEventListener('change', follow))
  return phone
}
