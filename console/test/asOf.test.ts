import { describe, expect, it } from 'vitest'
import type { RouteRecordRaw } from 'vue-router'

import { t } from '@/locales'

const modules = import.meta.glob<Record<string, RouteRecordRaw[]>>('../src/router/modules/*.ts', { eager: true })
const pages = Object.values(modules)
  .flatMap((one) => Object.values(one).flat())
  .filter((page) => !page.meta?.public)

describe('as of a day', () => {
  it.each(pages.map((page) => [String(page.name), page.meta]))('%s shows it, or says in words of its own why it cannot', (_, meta) => {
    expect(Boolean(meta?.asOf)).not.toBe(Boolean(meta?.asOfNot))
    if (meta?.asOfNot) expect(t(meta.asOfNot).length).toBeGreaterThan(20)
  })

  it('is not offered where a page says why not, on few pages only', () => {
    const shut = pages.filter((page) => page.meta?.asOfNot).map((page) => page.name)
    expect(shut.sort()).toEqual(['article', 'clue', 'clues', 'framework', 'frameworks', 'laws', 'replay', 'replays', 'second-factor', 'subject', 'system'])
  })
})
