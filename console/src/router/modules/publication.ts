import type { RouteRecordRaw } from 'vue-router'

/** Pages for everybody, without signing in. */
export const open: RouteRecordRaw[] = []

export const publication: RouteRecordRaw[] = []
