/**
 * The draft on screen and its saving: what was typed is saved by itself a moment after the last key, over the
 * version it was begun from. When somebody of the unit saved meanwhile, nothing is overwritten and it is said so.
 */
import { computed, onScopeDispose, ref, watch, type Ref } from 'vue'

import { ApiError } from '@/api/errors'
import { saveDraft, type EvidenceItem, type Report } from '@/api/reporting'

const QUIET_MS = 1500

export function useDraft(source: Ref<Report | null>) {
  const statement = ref('')
  const numerator = ref('')
  const denominator = ref('')
  const evidence = ref<EvidenceItem[]>([])
  const version = ref(0)
  const saving = ref(false)
  const savedAt = ref<Date | null>(null)
  const problem = ref<ApiError | null>(null)
  let kept = ''
  let timer: ReturnType<typeof setTimeout> | undefined

  const words = (): string =>
    JSON.stringify([statement.value, numerator.value, denominator.value, evidence.value.map((one) => one.reference)])
  const changed = ref(false)
  const measured = computed(() => source.value?.result.needs_value ?? false)
  const wholes = computed(() => [numerator.value, denominator.value].every((text) => /^\d{0,13}$/.test(text.trim())))
  const conflict = computed(() => problem.value?.code === 'assessment.report_changed')

  watch(source, (report) => {
    if (!report) return
    statement.value = report.content.statement
    numerator.value = report.content.numerator === null ? '' : String(report.content.numerator)
    denominator.value = report.content.denominator === null ? '' : String(report.content.denominator)
    evidence.value = report.content.evidence
    version.value = report.version
    kept = words()
    changed.value = false
    problem.value = null
  })

  watch([statement, numerator, denominator, evidence], () => {
    changed.value = words() !== kept
    clearTimeout(timer)
    if (changed.value && source.value?.writable) timer = setTimeout(() => void save(), QUIET_MS)
  })

  function value(): { numerator: number; denominator: number } | null {
    const [top, bottom] = [numerator.value.trim(), denominator.value.trim()]
    return measured.value && top && bottom ? { numerator: Number(top), denominator: Number(bottom) } : null
  }

  /** Saves what is on screen; true when nothing is left unsaved. */
  async function save(): Promise<boolean> {
    clearTimeout(timer)
    if (!source.value?.writable || conflict.value || !wholes.value) return false
    if (!changed.value && version.value > 0) return true
    if (saving.value) return false
    saving.value = true
    const now = words()
    try {
      const answer = await saveDraft(source.value.id, {
        version: version.value,
        statement: statement.value,
        value: value(),
        evidence: evidence.value.map(({ kind, reference }) => ({ kind, reference })),
      })
      version.value = answer.version
      kept = now
      savedAt.value = new Date()
      problem.value = null
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause
      problem.value = cause
    } finally {
      saving.value = false
      changed.value = words() !== kept
    }
    if (changed.value && !problem.value) timer = setTimeout(() => void save(), QUIET_MS)
    return !changed.value
  }

  onScopeDispose(() => clearTimeout(timer))
  return { statement, numerator, denominator, evidence, version, saving, savedAt, problem, changed, wholes, conflict, save }
}
