import type { RouteRecordRaw } from 'vue-router'

export const external: RouteRecordRaw[] = [
  {
    path: 'surveys',
    name: 'surveys',
    component: () => import('@/views/external/SurveyList.vue'),
    meta: { title: 'external.surveys' },
  },
  {
    path: 'surveys/:id',
    name: 'survey',
    component: () => import('@/views/external/SurveyPage.vue'),
    props: true,
    meta: { title: 'external.survey' },
  },
  {
    path: 'sheets',
    name: 'sheets',
    component: () => import('@/views/external/SheetList.vue'),
    meta: { title: 'external.sheets' },
  },
  {
    path: 'sheets/:id',
    name: 'sheet',
    component: () => import('@/views/external/SheetPage.vue'),
    props: true,
    meta: { title: 'external.sheet' },
  },
  {
    path: 'external-results',
    name: 'external-results',
    component: () => import('@/views/external/ExternalResults.vue'),
    meta: { title: 'external.results' },
  },
]
