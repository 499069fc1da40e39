/** The tree of a framework as flat rows, each with its depth and points; which of them are shown is decided here. */
import type { FrameworkDocument, FrameworkNode } from '@/api/frameworks'

export interface TreeRow {
  node: FrameworkNode
  depth: number
  level: string
  points: Record<string, number>
  weight: string
  hasChildren: boolean
  parents: string[]
}

const MICRO = 1_000_000

/** A decimal with at most six places as whole micro-points, so that sums are exact. */
export function micro(text: string): number {
  const [whole = '0', part = ''] = text.split('.')
  return Number(whole) * MICRO + Number(part.padEnd(6, '0'))
}

/** The shortest decimal of micro-points. */
export function points(value: number): string {
  const part = String(value % MICRO).padStart(6, '0').replace(/0+$/, '')
  return part ? `${Math.floor(value / MICRO)}.${part}` : String(Math.floor(value / MICRO))
}

export function rowsOf(document: FrameworkDocument): TreeRow[] {
  const rows: TreeRow[] = []
  const last = document.levels.length - 1

  function visit(node: FrameworkNode, depth: number, level: number, parents: string[], weight = ''): Record<string, number> {
    const children = [...('nodes' in node ? (node.nodes as FrameworkNode[]) : []), ...(node.children ?? [])]
    const row: TreeRow = {
      node,
      depth,
      level: weight ? 'component' : (document.levels[node.method ? last : level] ?? ''),
      points: {},
      weight,
      hasChildren: children.length > 0,
      parents,
    }
    rows.push(row)
    if (!children.length) {
      row.points = Object.fromEntries(Object.entries(node.points ?? {}).map(([group, value]) => [group, micro(value)]))
      return row.points
    }
    const inside = [...parents, node.code]
    for (const child of children) {
      const below = visit(child, depth + 1, weight ? level : level + 1, inside)
      for (const [group, value] of Object.entries(below)) row.points[group] = (row.points[group] ?? 0) + value
    }
    return row.points
  }

  for (const part of document.components ?? []) visit(part, 0, 0, [], part.weight)
  for (const node of document.nodes ?? []) visit(node, 0, 0, [])
  return rows
}

/** The rows to draw: those found with everything above them, or those whose parents are open. */
export function shown(rows: TreeRow[], open: ReadonlySet<string>, words: string): TreeRow[] {
  const wanted = words.trim().toLowerCase()
  if (!wanted) return rows.filter((row) => row.parents.every((code) => open.has(code)))
  const found = rows.filter((row) => row.node.title.toLowerCase().includes(wanted) || row.node.code.toLowerCase().includes(wanted))
  const kept = new Set(found.flatMap((row) => [row.node.code, ...row.parents]))
  return rows.filter((row) => kept.has(row.node.code))
}
