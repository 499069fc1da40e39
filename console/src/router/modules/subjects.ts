import type { RouteRecordRaw } from 'vue-router'

export const subjects: RouteRecordRaw[] = [
  {
    path: 'subjects/:service/:kind/:id(.*)',
    name: 'subject',
    component: () => import('@/views/subjects/SubjectPage.vue'),
    props: true,
    meta: { title: 'subject.kind.other', asOfNot: 'common.asOf.not.subject' },
  },
]
