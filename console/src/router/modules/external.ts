import type { RouteRecordRaw } from 'vue-router'

export const external: RouteRecordRaw[] = [
  {
    path: 'surveys',
    name: 'surveys',
    component: () => import('@/views/external/SurveyList.vue'),
    meta: { title: 'external.surveys', asOf: true },
  },
  {
    path: 'surveys/:id',
    name: 'survey',
    component: () => import('@/views/external/SurveyPage.vue'),
    props: true,
    meta: { title: 'external.survey', asOf: true },
  },
  {
    path: 'sheets',
    name: 'sheets',
    component: () => import('@/views/external/SheetList.vue'),
    meta: { title: 'external.sheets', asOf: true },
  },
  {
    path: 'sheets/:id',
    name: 'sheet',
    component: () => import('@/views/external/SheetPage.vue'),
    props: true,
    meta: { title: 'external.sheet', asOf: true },
  },
  {
    path: 'external-results',
    name: 'external-results',
    component: () => import('@/views/external/ExternalResults.vue'),
    meta: { title: 'external.results', asOf: true },
  },
]
