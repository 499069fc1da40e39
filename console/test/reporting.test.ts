import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, shallowRef } from 'vue'

import { ApiError } from '../src/api/errors'
import * as api from '../src/api/reporting'
import { useDraft } from '../src/views/reporting/draft'
import { thousandths } from '../src/views/review/score'

const report = (more: Partial<api.Report> = {}): api.Report => ({
  id: 'r1',
  period: '2026',
  unit: { code: 'u', name: '局' },
  result: { code: 'A1', title: '成果', method: '评审法', needs_value: false, standard: '', basis: [] },
  state: 'draft',
  state_text: '填报中',
  version: 1,
  shown_version: 1,
  round: 0,
  score: null,
  due_on: '2026-12-15',
  overdue: false,
  is_own: true,
  writable: true,
  content: { statement: '旧', numerator: null, denominator: null, suggested: null, evidence: [] },
  lacking: [],
  versions: [],
  events: [],
  statement_characters: 2000,
  evidence_items: 20,
  ...more,
})

describe('a draft that saves itself', () => {
  const scope = { current: effectScope() }
  beforeEach(() => {
    vi.useFakeTimers()
    scope.current = effectScope()
  })
  afterEach(() => {
    scope.current.stop()
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  async function opened(more: Partial<api.Report> = {}) {
    const source = shallowRef<api.Report | null>(null)
    const draft = scope.current.run(() => useDraft(source))!
    source.value = report(more)
    await nextTick()
    return { draft, source }
  }

  it('saves once, a moment after the last key, over the version it began from', async () => {
    const save = vi.spyOn(api, 'saveDraft').mockResolvedValue({ version: 2 })
    const { draft } = await opened()
    for (const text of ['新', '新的', '新的话']) {
      draft.statement.value = text
      await nextTick()
      await vi.advanceTimersByTimeAsync(500)
    }
    expect(save).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(2000)
    expect(save).toHaveBeenCalledTimes(1)
    expect(save.mock.calls[0]?.[1]).toMatchObject({ version: 1, statement: '新的话' })
    expect([draft.version.value, draft.changed.value]).toEqual([2, false])
  })

  it('stops when somebody else saved meanwhile, and overwrites nothing', async () => {
    const refused = new ApiError(409, { code: 'assessment.report_changed', message: '' })
    const save = vi.spyOn(api, 'saveDraft').mockRejectedValue(refused)
    const { draft } = await opened()
    draft.statement.value = '我的'
    await nextTick()
    await vi.advanceTimersByTimeAsync(5000)
    expect(draft.conflict.value).toBe(true)
    draft.statement.value = '我的更多'
    await nextTick()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(save).toHaveBeenCalledTimes(1)
    expect([draft.statement.value, draft.changed.value]).toEqual(['我的更多', true])
  })

  it('never saves what was handed in', async () => {
    const save = vi.spyOn(api, 'saveDraft').mockResolvedValue({ version: 2 })
    const { draft } = await opened({ writable: false, state: 'submitted' })
    draft.statement.value = '改'
    await nextTick()
    await vi.advanceTimersByTimeAsync(5000)
    expect(save).not.toHaveBeenCalled()
  })

  it('keeps what was typed while a saving was on its way', async () => {
    let answer: (value: { version: number }) => void = () => undefined
    const save = vi.spyOn(api, 'saveDraft').mockImplementation(() => new Promise((resolve) => (answer = resolve)))
    const { draft } = await opened()
    draft.statement.value = '第一句'
    await nextTick()
    await vi.advanceTimersByTimeAsync(1600)
    draft.statement.value = '第一句第二句'
    await nextTick()
    answer({ version: 2 })
    await vi.advanceTimersByTimeAsync(2000)
    expect(save.mock.calls.map((call) => [call[1].version, call[1].statement])).toEqual([
      [1, '第一句'],
      [2, '第一句第二句'],
    ])
  })
})

describe('a score in thousandths', () => {
  it.each([
    ['0.85', 850],
    ['1', 1000],
    ['1.000', 1000],
    ['0', 0],
    ['.5', 500],
    ['0.', 0],
    [' 0.005 ', 5],
  ])('%s is %i', (text, milli) => expect(thousandths(text)).toBe(milli))
  it.each(['', '1.1', '0.8555', '-0.5', '85', '０.5', 'NaN', '1e-1', '.'])('%s is none', (text) =>
    expect(thousandths(text)).toBeNull(),
  )
})
