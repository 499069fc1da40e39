/** Results that stand as an upheld objection corrected them, as a refusal to replace them unseen names them. */
import { ApiError } from '@/api/errors'
import type { FieldProblem } from '@/api/types'

const CODE = 'assessment.upheld_objection'
const PLACE = 'objections.'

/** The objections that a refusal names; none where it is another refusal. */
export const upheldIn = (error: unknown): FieldProblem[] => (error instanceof ApiError && error.code === CODE ? error.fields : [])

/** The objection that a problem is about. */
export const objectionOf = (problem: FieldProblem): string => problem.path.slice(PLACE.length)
