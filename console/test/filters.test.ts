import { createApp, effectScope } from 'vue'
import { createMemoryHistory, createRouter, type Router } from 'vue-router'
import { describe, expect, it, vi } from 'vitest'

import { useQueried } from '@/composables/queried'
import { mayOpen, subjectLink } from '@/views/explanation/subject'

const page = { render: () => null }

async function opened(address: string) {
  const router: Router = createRouter({
    history: createMemoryHistory(),
    routes: [
      { path: '/list', name: 'list', component: page },
      { path: '/one', name: 'one', component: page },
    ],
  })
  const app = createApp(page)
  app.use(router)
  await router.push(address)
  const scope = effectScope()
  const use = (name: string, usual?: string) => app.runWithContext(() => scope.run(() => useQueried(name, usual))!)
  return { router, scope, use }
}

describe('a filter in the address', () => {
  it('is there again when the page is opened by its address', async () => {
    const { use } = await opened('/list?q=执法局')
    expect(use('q').value).toBe('执法局')
    expect(use('only', 'all').value).toBe('all')
  })

  it('goes there with what is there already, and goes away when emptied', async () => {
    const { router, use } = await opened('/list?period=2026')
    const words = use('q')
    words.value = ' 执法局 '
    await vi.waitFor(() => expect(router.currentRoute.value.query).toEqual({ period: '2026', q: '执法局' }))
    words.value = ''
    await vi.waitFor(() => expect(router.currentRoute.value.query).toEqual({ period: '2026' }))
  })

  it('two that change together both arrive', async () => {
    const { router, use } = await opened('/list?q=执法局&band=3')
    const [words, band] = [use('q'), use('band')]
    words.value = ''
    band.value = '5'
    await vi.waitFor(() => expect(router.currentRoute.value.query).toEqual({ band: '5' }))
  })

  it('follows the way back, and stays behind on another page', async () => {
    const { router, use } = await opened('/list')
    const words = use('q')
    await router.push('/list?q=执法局')
    await vi.waitFor(() => expect(words.value).toBe('执法局'))
    await router.push('/one')
    await vi.waitFor(() => expect(router.currentRoute.value.fullPath).toBe('/one'))
  })
})

describe('a business object', () => {
  const unit = (...roles: string[]): boolean => roles.includes('unit_head')

  it('is a link where a page shows it', () => {
    expect(subjectLink('enforcement/cases/1')).toMatchObject({ name: 'subject' })
    expect(subjectLink('disputes/court_outcomes/1')).toBeNull()
  })

  it('is no link for whom the service would refuse it', () => {
    expect(mayOpen(subjectLink('assessment/surveys/1')!, unit)).toBe(false)
    expect(mayOpen(subjectLink('enforcement/cases/1')!, unit)).toBe(true)
  })
})
