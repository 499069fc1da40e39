import type { RouteRecordRaw } from 'vue-router'

export const ledger: RouteRecordRaw[] = [
  {
    path: 'ledger',
    name: 'ledger',
    component: () => import('@/views/ledger/LedgerPage.vue'),
    meta: { title: 'ledger.title', asOf: true },
  },
]
