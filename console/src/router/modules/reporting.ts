import type { RouteRecordRaw } from 'vue-router'

export const reporting: RouteRecordRaw[] = [
  {
    path: 'reports',
    name: 'reports',
    component: () => import('@/views/reporting/ReportList.vue'),
    meta: { title: 'reporting.title', asOf: true },
  },
  {
    path: 'reports/:report',
    name: 'report',
    component: () => import('@/views/reporting/ReportPage.vue'),
    props: true,
    meta: { title: 'reporting.one', asOf: true },
  },
  {
    path: 'reviews',
    name: 'reviews',
    component: () => import('@/views/review/ReviewQueue.vue'),
    meta: { title: 'review.title', asOf: true },
  },
  {
    path: 'reviews/:assignment',
    name: 'review',
    component: () => import('@/views/review/ReviewPage.vue'),
    props: true,
    meta: { title: 'review.one', asOf: true },
  },
]
