import type { RouteRecordRaw } from 'vue-router'

export const supervision: RouteRecordRaw[] = [
  {
    path: 'detection',
    name: 'detection',
    component: () => import('@/views/detection/DetectionPage.vue'),
    meta: { title: 'detection.title', asOf: true },
  },
  {
    path: 'orders',
    name: 'orders',
    component: () => import('@/views/supervision/OrderList.vue'),
    meta: { title: 'order.title', asOf: true },
  },
  {
    path: 'orders/:id',
    name: 'order',
    component: () => import('@/views/supervision/OrderPage.vue'),
    props: true,
    meta: { title: 'order.title', asOf: true },
  },
  {
    path: 'objections',
    name: 'objections',
    component: () => import('@/views/supervision/ObjectionList.vue'),
    meta: { title: 'objection.title', asOf: true },
  },
  {
    path: 'objections/:id',
    name: 'objection',
    component: () => import('@/views/supervision/ObjectionPage.vue'),
    props: true,
    meta: { title: 'objection.title', asOf: true },
  },
]
