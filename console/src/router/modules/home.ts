import type { RouteRecordRaw } from 'vue-router'

export const home: RouteRecordRaw[] = [
  {
    path: '',
    name: 'home',
    component: () => import('@/views/home/HomePage.vue'),
    meta: { title: 'home.title', asOf: true },
  },
  {
    path: 'system',
    name: 'system',
    component: () => import('@/views/home/AccountPage.vue'),
    meta: { title: 'shell.zone.system', asOfNot: 'common.asOf.not.own' },
  },
]
