import type { RouteRecordRaw } from 'vue-router'

export const legislation: RouteRecordRaw[] = [
  {
    path: 'laws',
    name: 'laws',
    component: () => import('@/views/legislation/LawSearch.vue'),
    meta: { title: 'law.title', asOfNot: 'common.asOf.not.version' },
  },
  {
    path: 'laws/article',
    name: 'article',
    component: () => import('@/views/legislation/ArticlePage.vue'),
    meta: { title: 'law.article', asOfNot: 'common.asOf.not.version' },
  },
]
