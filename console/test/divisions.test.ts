/** Units stand under the division their codes and names say. */
import { describe, expect, it } from 'vitest'

import type { RankingRow } from '@/api/types'
import { above, divisionsOf, shadeOf, sharedName } from '@/views/ranking/divisions'

const row = (code: string, name: string, region: string): RankingRow => ({
  rank: 1,
  tied: false,
  unit: { code, name, region_code: region },
  score: '90.0000',
  coverage: '1',
  vetoes: 0,
  events: 0,
  aspects: [],
  credibility: {},
})

describe('divisions', () => {
  it('put counties under their city or league, in the order of codes', () => {
    const found = divisionsOf([
      row('152501', '锡林郭勒盟苏尼特左旗人民政府', '152501'),
      row('150103', '呼和浩特市回民区人民政府', '150103'),
      row('150102', '呼和浩特市新城区人民政府', '150102'),
      row('152502', '锡林郭勒盟苏尼特右旗人民政府', '152502'),
    ])
    expect(found.map((one) => one.name)).toEqual(['呼和浩特市', '锡林郭勒盟'])
    expect(found[0]!.tiles.map((tile) => tile.short)).toEqual(['新城区', '回民区'])
    expect(found[1]!.tiles.map((tile) => tile.short)).toEqual(['苏尼特左旗', '苏尼特右旗'])
  })

  it('put departments under their own county', () => {
    const found = divisionsOf([
      row('a', '呼和浩特市新城区财政局', '150102'),
      row('b', '呼和浩特市新城区司法局', '150102'),
      row('c', '呼和浩特市回民区司法局', '150103'),
      row('d', '呼和浩特市回民区市场监督管理局', '150103'),
    ])
    expect(found.map((one) => [one.code, one.name])).toEqual([
      ['150102', '呼和浩特市新城区'],
      ['150103', '呼和浩特市回民区'],
    ])
    expect(found[0]!.tiles.map((tile) => tile.short)).toEqual(['财政局', '司法局'])
  })

  it('name a city after the government above, whatever its counties are called', () => {
    const under = (code: string, name: string): RankingRow => {
      const one = row(code, name, code)
      return { ...one, unit: { ...one.unit, above: '呼和浩特市人民政府' } }
    }
    const found = divisionsOf([under('150102', '呼和浩特市新城区人民政府'), under('150122', '托克托县人民政府'), under('150125', '武川县人民政府')])
    expect(found.map((one) => [one.name, one.tiles.map((tile) => tile.short)])).toEqual([['呼和浩特市', ['新城区', '托克托县', '武川县']]])
  })

  it('keep a lone unit readable', () => {
    expect(divisionsOf([row('150102', '呼和浩特市新城区人民政府', '150102')])[0]!.tiles[0]!.short).toBe('呼和浩特市新城区')
    expect(sharedName([])).toBe('')
    expect(sharedName(['新城区市场监管局', '新城区市场执法队'])).toBe('新城区')
    const most = ['甲市乙区财政局', '甲市乙区司法局', '甲市乙区审计局', '甲市乙区教育局', '甲市公积金中心乙区分中心']
    expect(sharedName(most)).toBe('甲市乙区')
  })

  it('know what lies above a code', () => {
    expect([above('150102'), above('150100'), above('150102001')]).toEqual(['1501', '15', '150102'])
  })
})

it('tiers are spread over the shades, the first darkest and the last lightest', () => {
  expect([1, 2, 3].map((tier) => shadeOf(tier, 3, 5))).toEqual([0, 2, 4])
  expect(shadeOf(9, 9, 5)).toBe(4)
  expect(shadeOf(1, 1, 5)).toBe(3)
  for (let tier = 2; tier <= 9; tier += 1) expect(shadeOf(tier, 9, 5)).toBeGreaterThanOrEqual(shadeOf(tier - 1, 9, 5))
})
