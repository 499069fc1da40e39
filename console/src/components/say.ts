/** Short words at the top of the page: what was done, or why it was not. Their styles come along here. */
import 'element-plus/es/components/message/style/css'
import { ElMessage } from 'element-plus'

import type { ApiError } from '@/api/errors'
import { word } from '@/locales'

const LONG_MS = 8000

export const done = (text: string): void => void ElMessage.success(text)
export const plain = (text: string): void => void ElMessage.info(text)
/** A refusal stays long enough to be read, and can be put away. */
export const refused = (text: string): void => void ElMessage.error({ message: text, duration: LONG_MS, showClose: true })

/** What kind of failure it was, as the keys of `common.error` name it. */
export function kindOf({ status, code }: ApiError): string {
  if (status === 0) return code
  if (status >= 500) return '5xx'
  return [403, 404, 429].includes(status) ? String(status) : 'other'
}

/** The service's own words and those of each field; where it has none, what we can say of such a failure. */
export function explained(error: ApiError): string {
  const own = [error.message, ...error.fields.map((field) => field.message)].filter(Boolean)
  return own.join(' ') || word('common', `error.${kindOf(error)}.text`)
}
