/** Asking a person for a reason, and doing what may be refused: the refusal is told, the page reads anew. */
import 'element-plus/es/components/message-box/style/css'
import { ElMessageBox } from 'element-plus'

import { ApiError } from '@/api/errors'
import { done, explained, refused } from '@/components/say'
import { t } from '@/locales'

const buttons = (confirm: string) => ({ confirmButtonText: confirm, cancelButtonText: t('common.cancel') })

/** The reason, or null when it was called off. */
export async function reasonFor(title: string): Promise<string | null> {
  return await ElMessageBox.prompt(t('common.reasonPrompt'), title, {
    ...buttons(t('common.confirm')),
    inputValidator: (text: string) => Boolean(text?.trim()) || t('common.reasonMissing'),
  }).then(
    (answer) => String((answer as { value?: string }).value ?? '').trim(),
    () => null,
  )
}

/** Whether the question was answered with yes; `confirm` stands on the button. */
export async function isSure(asked: string, title = t('common.confirm'), confirm = title): Promise<boolean> {
  return await ElMessageBox.confirm(asked, title, buttons(confirm)).then(
    () => true,
    () => false,
  )
}

/** What was written, be it nothing, or null when it was called off. */
export async function told(asked: string, title: string): Promise<string | null> {
  return await ElMessageBox.prompt(asked, title, buttons(t('common.ok'))).then(
    (answer) => String((answer as { value?: string }).value ?? ''),
    () => null,
  )
}

/** Whether it was done. */
export async function tried(act: () => Promise<unknown>, said = t('common.done')): Promise<boolean> {
  try {
    await act()
    done(said)
    return true
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    refused(explained(error))
    return false
  }
}
