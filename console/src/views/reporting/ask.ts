/** Asks before what cannot be undone. */
import 'element-plus/es/components/message-box/style/css'
import { ElMessageBox } from 'element-plus'

import { t } from '@/locales'

const buttons = () => ({ confirmButtonText: t('reporting.ok'), cancelButtonText: t('reporting.cancel') })

export async function isSure(text: string, title: string): Promise<boolean> {
  return await ElMessageBox.confirm(text, title, buttons()).then(
    () => true,
    () => false,
  )
}

/** What was written, or null when it was called off. */
export async function told(text: string, title: string): Promise<string | null> {
  return await ElMessageBox.prompt(text, title, buttons()).then(
    (answer) => String((answer as { value?: string }).value ?? ''),
    () => null,
  )
}
