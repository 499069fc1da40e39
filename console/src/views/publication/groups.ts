/** Titles of peer groups 考核对象类别, so that pages speak of them by name. */
import { computed } from 'vue'

import { framework } from '@/api/assessment'
import { useLoad } from '@/composables/load'

export function useGroupTitles() {
  const { data } = useLoad((signal) => framework(undefined, signal))
  const groups = computed(() => data.value?.peer_groups ?? [])
  const titleOf = (id: string): string => groups.value.find((one) => one.id === id)?.title ?? (data.value ? id : '')
  return { framework: data, groups, titleOf }
}
