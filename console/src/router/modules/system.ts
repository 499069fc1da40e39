import type { RouteRecordRaw } from 'vue-router'

export const system: RouteRecordRaw[] = [
  {
    path: 'system/second-factor',
    name: 'second-factor',
    component: () => import('@/views/system/SecondFactorPage.vue'),
    meta: { title: 'system.factor.title', asOfNot: 'common.asOf.not.own' },
  },
  {
    path: 'system/accounts',
    name: 'accounts',
    component: () => import('@/views/system/AccountList.vue'),
    meta: { title: 'system.accounts.title', asOf: true },
  },
  {
    path: 'system/grants',
    name: 'grants',
    component: () => import('@/views/system/GrantList.vue'),
    meta: { title: 'system.grants.title', asOf: true },
  },
  {
    path: 'system/audit',
    name: 'audit',
    component: () => import('@/views/system/AuditPage.vue'),
    meta: { title: 'system.audit.title', asOf: true },
  },
]
