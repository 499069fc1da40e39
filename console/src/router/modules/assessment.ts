import type { RouteRecordRaw } from 'vue-router'

export const assessment: RouteRecordRaw[] = [
  {
    path: 'rankings',
    name: 'rankings',
    component: () => import('@/views/ranking/RankingPage.vue'),
    meta: { title: 'ranking.title' },
  },
  {
    path: 'units/:unit/score',
    name: 'unit-score',
    component: () => import('@/views/score/ScorePage.vue'),
    props: true,
    meta: { title: 'score.title' },
  },
  {
    path: 'units/:unit/explanation',
    name: 'explanation',
    component: () => import('@/views/explanation/ExplanationPage.vue'),
    props: true,
    meta: { title: 'explanation.title' },
  },
]
