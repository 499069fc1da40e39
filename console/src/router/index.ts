/**
 * Pages of the console. A page that is not marked public asks who is signed in first; every page is
 * fetched when it is first opened. After a move the new title is announced and the main part focused.
 */
import { createRouter, createWebHistory, type Router, type RouteRecordRaw } from 'vue-router'

import { carryAsOf } from '@/composables/asOf'
import { t, type Key } from '@/locales'
import type { useSession } from '@/stores/session'

import { assessment } from './modules/assessment'
import { clues } from './modules/clues'
import { external } from './modules/external'
import { framework } from './modules/framework'
import { home } from './modules/home'
import { identity } from './modules/identity'
import { ledger } from './modules/ledger'
import { legislation } from './modules/legislation'
import { open, publication } from './modules/publication'
import { reporting } from './modules/reporting'
import { subjects } from './modules/subjects'
import { supervision } from './modules/supervision'
import { system } from './modules/system'
import { onceReached } from './returning'

declare module 'vue-router' {
  interface RouteMeta {
    title?: Key
    public?: boolean
  }
}

const routes: RouteRecordRaw[] = [
  ...identity,
  ...open,
  {
    path: '/',
    component: () => import('@/views/shell/AppShell.vue'),
    children: [
      ...home,
      ...assessment,
      ...framework,
      ...subjects,
      ...legislation,
      ...ledger,
      ...reporting,
      ...clues,
      ...supervision,
      ...publication,
      ...external,
      ...system,
      {
        path: ':rest(.*)*',
        name: 'not-found',
        component: () => import('@/views/shell/NotFound.vue'),
        meta: { title: 'shell.notFound.title' },
      },
    ],
  },
]

export function createConsoleRouter(session: ReturnType<typeof useSession>): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes,
    scrollBehavior: (to, from, saved) => {
      if (saved) return onceReached(saved)
      return to.path === from.path ? false : { top: 0 }
    },
  })

  carryAsOf(router)

  router.beforeEach(async (to) => {
    const me = await session.ensure()
    if (to.meta.public) return me && to.name === 'sign-in' ? { name: 'home' } : true
    if (me?.must_enrol && to.name !== 'second-factor') return { name: 'second-factor', query: to.path === '/' ? {} : { next: to.fullPath } }
    return me ? true : { name: 'sign-in', query: to.path === '/' ? {} : { next: to.fullPath } }
  })

  router.afterEach((to, from) => {
    document.title = to.meta.title ? `${t(to.meta.title)} · ${t('common.product')}` : t('common.product')
    if (from.matched.length > 0 && to.path !== from.path) {
      requestAnimationFrame(() => document.getElementById('main')?.focus({ preventScroll: true }))
    }
  })
  return router
}
