import { describe, expect, it } from 'vitest'

import type { FrameworkDocument } from '../src/api/frameworks'
import { micro, points, rowsOf, shown } from '../src/views/framework/tree'
import { monthGrid, moved, thisMonth } from '../src/views/task/month'

const result = (code: string, value: string) => ({ code, title: `成果${code}`, points: { towns: value }, method: { kind: 'ratio' } })
const document: FrameworkDocument = {
  id: 'f',
  version: '1',
  title: '体系',
  year: 2026,
  levels: ['aspect', 'result'],
  counts: {},
  peer_groups: [{ id: 'towns', title: '乡镇' }],
  nodes: [
    { code: 'A1', title: '方面一', children: [result('A1.R1', '33.333333'), result('A1.R2', '33.333333')] },
    { code: 'A2', title: '方面二', children: [result('A2.R1', '33.333334')] },
  ],
}

describe('the tree of a framework', () => {
  it('adds points without losing a millionth', () => {
    const rows = rowsOf(document)
    expect(rows.map((row) => points(row.points.towns ?? 0))).toEqual(['66.666666', '33.333333', '33.333333', '33.333334', '33.333334'])
    expect(points(micro('66.666666') + micro('33.333334'))).toBe('100')
  })

  it('shows what is open, or what was found with everything above it', () => {
    const rows = rowsOf(document)
    const codes = (open: string[], words = '') => shown(rows, new Set(open), words).map((row) => row.node.code)
    expect(codes([])).toEqual(['A1', 'A2'])
    expect(codes(['A1'])).toEqual(['A1', 'A1.R1', 'A1.R2', 'A2'])
    expect(codes([], 'a1.r2')).toEqual(['A1', 'A1.R2'])
    expect(codes(['A1'], '没有')).toEqual([])
  })

  it('puts components above the levels', () => {
    const parts = { ...document, nodes: undefined, components: [{ code: 'S', title: '系统', weight: '50', source: 'framework', nodes: document.nodes ?? [] }] }
    const rows = rowsOf(parts)
    expect(rows.slice(0, 3).map((row) => [row.node.code, row.depth, row.level])).toEqual([
      ['S', 0, 'component'],
      ['A1', 1, 'aspect'],
      ['A1.R1', 2, 'result'],
    ])
    expect(points(rows[0]?.points.towns ?? 0)).toBe('100')
  })
})

describe('a month', () => {
  it('has weeks that begin on Monday', () => {
    const weeks = monthGrid('2026-03')
    expect(weeks[0]).toEqual([null, null, null, null, null, null, '2026-03-01'])
    expect(weeks.at(-1)).toEqual(['2026-03-30', '2026-03-31', null, null, null, null, null])
    expect(monthGrid('2027-02').flat().filter(Boolean)).toHaveLength(28)
  })

  it('moves over the year', () => {
    expect([moved('2026-12', 1), moved('2026-01', -1), moved('2026-06', 7)]).toEqual(['2027-01', '2025-12', '2027-01'])
  })

  it('is the one it is in Beijing', () => {
    expect(thisMonth(new Date('2026-03-31T17:00:00Z'))).toBe('2026-04')
  })
})
