import type { RouteRecordRaw } from 'vue-router'

export const clues: RouteRecordRaw[] = [
  {
    path: 'clues',
    name: 'clues',
    component: () => import('@/views/clues/ClueList.vue'),
    meta: { title: 'clue.title', asOfNot: 'common.asOf.not.clue' },
  },
  {
    path: 'clues/:receipt',
    name: 'clue',
    component: () => import('@/views/clues/CluePage.vue'),
    props: true,
    meta: { title: 'clue.title', asOfNot: 'common.asOf.not.clue' },
  },
]
