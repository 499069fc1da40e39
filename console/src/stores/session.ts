/** Who is signed in. Nothing of it is kept in the browser beyond the page: the cookie is the session. */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'

import { client } from '@/api/client'
import { currentSession, signIn, signOut } from '@/api/identity'
import type { Me } from '@/api/types'

export const useSession = defineStore('session', () => {
  const me = shallowRef<Me | null>(null)
  const known = shallowRef(false)
  let onEnded: () => void = () => undefined

  client.connect({
    csrf: () => me.value?.csrf ?? '',
    renewed: (fresh) => {
      me.value = fresh
    },
    ended: () => {
      const was = me.value
      me.value = null
      if (was) onEnded()
    },
  })

  /** Asks the gateway once a page load who is signed in. */
  async function ensure(): Promise<Me | null> {
    if (known.value) return me.value
    try {
      me.value = await currentSession()
    } catch {
      me.value = null
    }
    known.value = true
    return me.value
  }

  async function enter(account: string, password: string, code = ''): Promise<void> {
    adopt(await signIn(account, password, code))
  }

  /** Takes over a session that was just begun. */
  function adopt(fresh: Me): void {
    me.value = fresh
    known.value = true
  }

  async function leave(): Promise<void> {
    try {
      await signOut()
    } finally {
      me.value = null
    }
  }

  const roleTitles = computed(() => me.value?.roles.map((role) => role.title).join('、') ?? '')
  const whenEnded = (act: () => void): void => {
    onEnded = act
  }
  return { me, roleTitles, ensure, enter, adopt, leave, whenEnded }
})
