/**
 * Words on screen. One flat JSON file a subject; keys are checked by the compiler.
 * `word` is for codes that come from a service: an unknown code is shown as it is, never hidden.
 */
import analysis from './zh-CN/analysis.json'
import clue from './zh-CN/clue.json'
import common from './zh-CN/common.json'
import detection from './zh-CN/detection.json'
import explanation from './zh-CN/explanation.json'
import external from './zh-CN/external.json'
import framework from './zh-CN/framework.json'
import home from './zh-CN/home.json'
import identity from './zh-CN/identity.json'
import law from './zh-CN/law.json'
import ledger from './zh-CN/ledger.json'
import objection from './zh-CN/objection.json'
import order from './zh-CN/order.json'
import proof from './zh-CN/proof.json'
import publication from './zh-CN/publication.json'
import ranking from './zh-CN/ranking.json'
import reporting from './zh-CN/reporting.json'
import review from './zh-CN/review.json'
import score from './zh-CN/score.json'
import shell from './zh-CN/shell.json'
import subject from './zh-CN/subject.json'
import system from './zh-CN/system.json'
import task from './zh-CN/task.json'

const messages = { analysis, clue, common, detection, explanation, external, framework, home, identity, law, ledger, objection, order, proof, publication, ranking, reporting, review, score, shell, subject, system, task }

type Messages = typeof messages
export type Key = { [G in keyof Messages]: `${G}.${keyof Messages[G] & string}` }[keyof Messages]

function find(key: string): string | undefined {
  const dot = key.indexOf('.')
  const group = messages[key.slice(0, dot) as keyof Messages] as Record<string, string> | undefined
  return group?.[key.slice(dot + 1)]
}

/** The message with `{name}` places filled. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return (find(key) ?? key).replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}

/** The word for a code of a service, such as `word('score.status', 'not_due')`. */
export function word(prefix: string, code: string): string {
  return find(`${prefix}.${code}`) ?? code
}
