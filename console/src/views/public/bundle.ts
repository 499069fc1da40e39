/** The public files of a published ranking, fetched byte for byte. */
import { publicFile } from '@/api/publication'
import { text } from '@/proof/bytes'
import type { Files } from '@/proof/proof'
import type { PublishedFramework } from '@/proof/scores'

export const NAMES = ['manifest.json', 'publication.note', 'framework.json', 'scores.jsonl', 'checkpoints.jsonl'] as const

export async function bundleOf(id: string): Promise<Files> {
  const parts = await Promise.all(NAMES.map(async (name) => new Uint8Array(await (await publicFile(id, name)).arrayBuffer())))
  return Object.fromEntries(NAMES.map((name, at) => [name, parts[at]])) as unknown as Files
}

export async function frameworkOf(id: string): Promise<PublishedFramework> {
  return JSON.parse(text(new Uint8Array(await (await publicFile(id, 'framework.json')).arrayBuffer()))) as PublishedFramework
}

/** The group's title in the published framework. */
export function groupTitle(framework: PublishedFramework | null, group: string): string {
  return framework?.peer_groups.find((one) => one.id === group)?.title ?? group
}
