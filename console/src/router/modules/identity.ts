import type { RouteRecordRaw } from 'vue-router'

export const identity: RouteRecordRaw[] = [
  {
    path: '/sign-in',
    name: 'sign-in',
    component: () => import('@/views/identity/SignIn.vue'),
    meta: { title: 'identity.title', public: true },
  },
]
