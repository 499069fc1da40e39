/** The period and peer group last looked at, so that going back does not ask again. */
import { defineStore } from 'pinia'
import { ref } from 'vue'

export const usePreferences = defineStore('preferences', () => {
  const period = ref('')
  const peerGroup = ref('')
  return { period, peerGroup }
})
