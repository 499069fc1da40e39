import type { RouteRecordRaw } from 'vue-router'

export const assessment: RouteRecordRaw[] = [
  {
    path: 'rankings',
    name: 'rankings',
    component: () => import('@/views/ranking/RankingPage.vue'),
    meta: { title: 'ranking.title', asOf: true },
  },
  {
    path: 'rankings/what-if',
    name: 'what-if',
    component: () => import('@/views/ranking/WhatIfPage.vue'),
    meta: { title: 'analysis.whatIf', asOf: true },
  },
  {
    path: 'replays',
    name: 'replays',
    component: () => import('@/views/replay/ReplayList.vue'),
    meta: { title: 'analysis.replays', asOfNot: 'common.asOf.not.replay' },
  },
  {
    path: 'replays/:replay',
    name: 'replay',
    component: () => import('@/views/replay/ReplayPage.vue'),
    props: true,
    meta: { title: 'analysis.replay', asOfNot: 'common.asOf.not.replay' },
  },
  {
    path: 'units/:unit/score',
    name: 'unit-score',
    component: () => import('@/views/score/ScorePage.vue'),
    props: true,
    meta: { title: 'score.title', asOf: true },
  },
  {
    path: 'units/:unit/explanation',
    name: 'explanation',
    component: () => import('@/views/explanation/ExplanationPage.vue'),
    props: true,
    meta: { title: 'explanation.title', asOf: true },
  },
]
