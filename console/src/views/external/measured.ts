/** Results 成果 of the framework in force by how they are measured. */
import { framework } from '@/api/assessment'
import { frameworkDocument, type FrameworkDocument, type FrameworkNode } from '@/api/frameworks'

export interface InForce {
  id: string
  version: string
  year: string
  document: FrameworkDocument
}

export async function inForce(period: string | undefined, signal?: AbortSignal): Promise<InForce> {
  const known = await framework(period, signal)
  return { id: known.id, version: known.version, year: String(known.year), document: await frameworkDocument(known.id, known.version, '', signal) }
}

/** What others than the unit and its reviewers measure: the components for that, or, where there are none, all that is measured so. */
export function measuredOutside(document: FrameworkDocument): FrameworkNode[] {
  const outside = (document.components ?? []).filter((part) => part.source !== 'framework')
  return measuredBy(outside.length ? { ...document, components: outside, nodes: [] } : document, 'survey', 'reviewed')
}

/** Leaves with this method that no probe finds by itself. */
export function measuredBy(document: FrameworkDocument, ...kinds: string[]): FrameworkNode[] {
  const found: FrameworkNode[] = []
  const visit = (node: FrameworkNode): void => {
    const below = [...('nodes' in node ? (node.nodes as FrameworkNode[]) : []), ...(node.children ?? [])]
    below.forEach(visit)
    if (below.length === 0 && node.method && kinds.includes(node.method.kind) && !node.probes?.length) found.push(node)
  }
  ;[...(document.components ?? []), ...(document.nodes ?? [])].forEach(visit)
  return found
}
