import type { RouteRecordRaw } from 'vue-router'

/** Pages for everybody, without signing in. */
export const open: RouteRecordRaw[] = [
  {
    path: '/public',
    component: () => import('@/views/public/PublicShell.vue'),
    meta: { public: true },
    children: [
      {
        path: '',
        name: 'public',
        component: () => import('@/views/public/PublicList.vue'),
        meta: { title: 'proof.title', public: true },
      },
      {
        path: 'survey',
        name: 'survey-paper',
        component: () => import('@/views/public/SurveyPaper.vue'),
        meta: { title: 'external.paper', public: true },
      },
      {
        path: ':id',
        name: 'public-ranking',
        component: () => import('@/views/public/PublicRanking.vue'),
        props: true,
        meta: { title: 'proof.title', public: true },
      },
    ],
  },
]

export const publication: RouteRecordRaw[] = [
  {
    path: 'publications',
    name: 'publications',
    component: () => import('@/views/publication/PublicationsPage.vue'),
    meta: { title: 'publication.title', asOf: true },
  },
  {
    path: 'downloads',
    name: 'downloads',
    component: () => import('@/views/publication/DownloadsPage.vue'),
    meta: { title: 'publication.downloads', asOf: true },
  },
  {
    path: 'feedback',
    name: 'feedback',
    component: () => import('@/views/publication/FeedbackPage.vue'),
    meta: { title: 'publication.feedback', asOf: true },
  },
]
