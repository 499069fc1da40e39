/** Asking a person for a reason, and doing what may be refused: the refusal is told, the page reads anew. */
import 'element-plus/es/components/message-box/style/css'
import { ElMessageBox } from 'element-plus'

import { ApiError } from '@/api/errors'
import { done, refused } from '@/components/say'
import { t } from '@/locales'

const buttons = () => ({ confirmButtonText: t('publication.confirmTitle'), cancelButtonText: t('publication.cancel') })

/** The reason, or null when it was called off. */
export async function reasonFor(title: string): Promise<string | null> {
  return await ElMessageBox.prompt(t('publication.reasonPrompt'), title, {
    ...buttons(),
    inputValidator: (text: string) => Boolean(text?.trim()) || t('publication.reasonMissing'),
  }).then(
    (answer) => String((answer as { value?: string }).value ?? '').trim(),
    () => null,
  )
}

export async function isSure(what: string): Promise<boolean> {
  return await ElMessageBox.confirm(t('publication.confirmSure', { what }), t('publication.confirmTitle'), buttons()).then(
    () => true,
    () => false,
  )
}

/** Whether it was done. */
export async function tried(act: () => Promise<unknown>, said = t('publication.done')): Promise<boolean> {
  try {
    await act()
    done(said)
    return true
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    refused([error.message, ...error.fields.map((field) => field.message)].filter(Boolean).join(' ') || t('common.error.other.text'))
    return false
  }
}
