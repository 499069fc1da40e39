/** What was typed and not sent is not lost by a stray click: leaving the page, or the browser, asks first. */
import { onBeforeUnmount, onMounted } from 'vue'
import { onBeforeRouteLeave } from 'vue-router'

import { t } from '@/locales'

export function useUnsaved(isChanged: () => boolean): void {
  onBeforeRouteLeave(() => !isChanged() || window.confirm(t('common.leave')))
  const guard = (event: BeforeUnloadEvent): void => {
    if (isChanged()) event.preventDefault()
  }
  onMounted(() => window.addEventListener('beforeunload', guard))
  onBeforeUnmount(() => window.removeEventListener('beforeunload', guard))
}
