import type { RouteRecordRaw } from 'vue-router'

export const framework: RouteRecordRaw[] = [
  {
    path: 'frameworks',
    name: 'frameworks',
    component: () => import('@/views/framework/FrameworkList.vue'),
    meta: { title: 'framework.title', asOfNot: 'common.asOf.not.version' },
  },
  {
    path: 'frameworks/:framework/:version',
    name: 'framework',
    component: () => import('@/views/framework/FrameworkPage.vue'),
    props: true,
    meta: { title: 'framework.one', asOfNot: 'common.asOf.not.version' },
  },
  {
    path: 'tasks',
    name: 'tasks',
    component: () => import('@/views/task/TaskPage.vue'),
    meta: { title: 'task.title', asOf: true },
  },
  {
    path: 'calendar',
    name: 'calendar',
    component: () => import('@/views/task/CalendarPage.vue'),
    meta: { title: 'task.calendar', asOf: true },
  },
]
