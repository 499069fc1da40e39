/**
 * Zones of the console by role: which pages a person finds where. Only what the services allow the role is named,
 * and only pages that exist; what a service refuses it refuses whatever stands here.
 */
import {
  Connection,
  DataAnalysis,
  DocumentChecked,
  Download,
  EditPen,
  HomeFilled,
  Reading,
  Setting,
  Tickets,
} from '@element-plus/icons-vue'
import type { RouteLocationRaw } from 'vue-router'

import type { Key } from '@/locales'

export interface ZonePage {
  title: Key
  to: RouteLocationRaw & { name: string }
  /** Names of the routes that belong to this page. */
  covers: string[]
}

export interface Zone {
  id: string
  title: Key
  icon: typeof HomeFilled
  pages: ZonePage[]
}

interface Draft extends ZonePage {
  roles: readonly string[]
}

const UNITS = ['reporter', 'unit_head'] as const
const OVERSEERS = ['reviewer', 'inspector'] as const
const STAFF = [...UNITS, ...OVERSEERS] as const
const ADMINS = ['system_admin', 'security_admin', 'audit_admin'] as const
const INSIDE = [...STAFF, ...ADMINS] as const
const ANYONE = [...INSIDE, 'third_party'] as const

const page = (name: string, title: Key, roles: readonly string[], ...more: string[]): Draft => ({
  title,
  to: { name },
  covers: [name, ...more],
  roles,
})

/** The zones of whoever has these roles; `exists` says whether the console has a page of this name. */
export function zonesOf(roles: string[], exists: (name: string) => boolean): Zone[] {
  const unit = roles.some((role) => UNITS.includes(role as (typeof UNITS)[number]))
  const zones: (Omit<Zone, 'pages'> & { pages: Draft[] })[] = [
    { id: 'home', title: 'shell.zone.home', icon: HomeFilled, pages: [page('home', 'shell.zone.home', ANYONE)] },
    {
      id: 'indicators',
      title: unit ? 'shell.zone.filling' : 'shell.zone.indicators',
      icon: unit ? EditPen : Tickets,
      pages: [
        page('reports', 'shell.page.reports', UNITS, 'report'),
        page('tasks', 'shell.page.tasks', STAFF),
        page('calendar', 'shell.page.calendar', STAFF),
        page('frameworks', 'shell.page.frameworks', INSIDE, 'framework'),
      ],
    },
    { id: 'review', title: 'shell.zone.review', icon: DocumentChecked, pages: [page('reviews', 'shell.zone.review', OVERSEERS, 'review')] },
    {
      id: 'standing',
      title: 'shell.zone.standing',
      icon: DataAnalysis,
      pages: [
        page('rankings', 'shell.page.rankings', [...STAFF, 'audit_admin'], 'what-if', 'unit-score', 'explanation'),
        page('orders', 'shell.page.orders', STAFF, 'order'),
        page('objections', 'shell.page.objections', OVERSEERS, 'objection'),
        page('clues', 'shell.page.clues', OVERSEERS, 'clue'),
        page('detection', 'shell.page.detection', ['inspector', 'audit_admin']),
        page('replays', 'shell.page.replays', STAFF, 'replay'),
        page('ledger', 'shell.page.ledger', INSIDE),
        page('laws', 'shell.page.laws', INSIDE, 'article'),
      ],
    },
    {
      id: 'feedback',
      title: 'shell.zone.feedback',
      icon: Reading,
      pages: [
        page('feedback', 'shell.page.bulletins', STAFF),
        page('objections', 'shell.page.objections', UNITS, 'objection'),
      ],
    },
    {
      id: 'external',
      title: 'shell.zone.external',
      icon: Connection,
      pages: [
        page('surveys', 'shell.page.surveys', [...OVERSEERS, 'audit_admin'], 'survey'),
        page('sheets', 'shell.page.sheets', [...OVERSEERS, 'audit_admin', 'third_party'], 'sheet'),
        page('external-results', 'shell.page.external', UNITS),
      ],
    },
    {
      id: 'downloads',
      title: 'shell.zone.downloads',
      icon: Download,
      pages: [
        page('downloads', 'shell.page.downloads', [...OVERSEERS, 'audit_admin']),
        page('publications', 'shell.page.publications', [...OVERSEERS, 'audit_admin']),
      ],
    },
    {
      id: 'system',
      title: 'shell.zone.system',
      icon: Setting,
      pages: [
        page('system', 'home.account.title', ANYONE),
        page('second-factor', 'system.factor.title', ANYONE),
        page('accounts', 'system.accounts.title', [...ADMINS, 'unit_head']),
        page('grants', 'system.grants.title', [...ADMINS, 'unit_head']),
        page('audit', 'system.audit.title', ['audit_admin']),
      ],
    },
  ]
  return zones
    .map((zone) => ({ ...zone, pages: zone.pages.filter((one) => exists(one.to.name) && one.roles.some((role) => roles.includes(role))) }))
    .filter((zone) => zone.pages.length > 0)
}

/** The page a route belongs to. */
export function pageOf(zones: Zone[], route: string): { zone: Zone; page: ZonePage } | undefined {
  for (const zone of zones) {
    const found = zone.pages.find((one) => one.covers.includes(route))
    if (found) return { zone, page: found }
  }
  return undefined
}
