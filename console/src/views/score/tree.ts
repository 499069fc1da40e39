/** The score tree as lines on screen. */
import type { ScoreNode } from '@/api/types'
import { measure } from '@/format/decimal'

export const NARROWINGS = ['all', 'lost', 'uncounted'] as const
export type Narrowing = (typeof NARROWINGS)[number]

export interface Line {
  node: ScoreNode
  depth: number
  parent: string | null
  expandable: boolean
  expanded: boolean
}

/**
 * Lines of the tree below its root, in order. While narrowed, every branch that holds a match is open,
 * whatever was opened by hand.
 */
export function lines(root: ScoreNode, opened: ReadonlySet<string>, narrowing: Narrowing): Line[] {
  const found: Line[] = []
  const walk = (node: ScoreNode, depth: number, parent: string | null): void => {
    const below = (node.children ?? []).filter((child) => narrowing === 'all' || holds(child, narrowing))
    const expanded = below.length > 0 && (narrowing !== 'all' || opened.has(node.node))
    found.push({ node, depth, parent, expandable: below.length > 0, expanded })
    if (expanded) for (const child of below) walk(child, depth + 1, node.node)
  }
  for (const child of root.children ?? []) {
    if (narrowing === 'all' || holds(child, narrowing)) walk(child, 0, null)
  }
  return found
}

/** Whether a leaf at or below this node matches the narrowing. */
function holds(node: ScoreNode, narrowing: Narrowing): boolean {
  if (node.children?.length) return node.children.some((child) => holds(child, narrowing))
  return narrowing === 'uncounted' ? node.status !== 'scored' : lost(node) > 0
}

/** Codes of every node that has children. */
export function branches(root: ScoreNode): string[] {
  return (root.children ?? []).flatMap((child) => (child.children?.length ? [child.node, ...branches(child)] : []))
}

/** Points missing from what was counted; zero for what was not counted at all. */
export function lost(node: ScoreNode): number {
  if (node.status !== 'scored') return 0
  return Math.max(0, (measure(node.applicable) ?? 0) - (measure(node.earned) ?? 0))
}

/** Nodes that trigger a veto. */
export function vetoes(root: ScoreNode): ScoreNode[] {
  const own = root.veto && !root.children?.some((child) => vetoes(child).length > 0) ? [root] : []
  return [...own, ...(root.children ?? []).flatMap(vetoes)]
}
