/**
 * As of 截至: the day whose knowledge the pages show, kept in the address as `as_of`, so that a link shows
 * the same to everybody. It is carried from page to page until it is taken off; pages that only know of now say so.
 */
import { computed, type ComputedRef } from 'vue'
import { useRoute, useRouter, type Router } from 'vue-router'

import type { Key } from '@/locales'

declare module 'vue-router' {
  interface RouteMeta {
    /** The page can show what was known on a past day. */
    asOf?: boolean
    /** Why it cannot, where there is more to say than that it shows what is to be done now. */
    asOfNot?: Key
  }
}

export interface AsOf {
  /** "2026-06-30", or undefined for now. */
  day: ComputedRef<string | undefined>
  choose: (day: string | undefined) => void
}

export function useAsOf(): AsOf {
  const route = useRoute()
  const router = useRouter()
  const day = computed(() => {
    const asked = String(route.query.as_of ?? '')
    return /^\d{4}-\d{2}-\d{2}$/.test(asked) ? asked : undefined
  })
  function choose(wanted: string | undefined): void {
    const { as_of: _, ...rest } = route.query
    isTakenOff = wanted === undefined
    void router.replace({ query: wanted ? { ...rest, as_of: wanted } : rest })
  }
  return { day, choose }
}

let isTakenOff = false

/** Takes the chosen day along wherever a link leads inside, until it is taken off. */
export function carryAsOf(router: Router): void {
  router.beforeEach((to, from) => {
    const day = from.query.as_of
    const wasTakenOff = isTakenOff
    isTakenOff = false
    if (!day || wasTakenOff || to.meta.public || to.query.as_of !== undefined) return true
    return { ...to, query: { ...to.query, as_of: day } }
  })
}
