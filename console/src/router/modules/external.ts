import type { RouteRecordRaw } from 'vue-router'

export const external: RouteRecordRaw[] = []
