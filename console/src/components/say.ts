/** Short words at the top of the page: what was done, or why it was not. Their styles come along here. */
import 'element-plus/es/components/message/style/css'
import { ElMessage } from 'element-plus'

const LONG_MS = 8000

export const done = (text: string): void => void ElMessage.success(text)
export const plain = (text: string): void => void ElMessage.info(text)
/** A refusal stays long enough to be read, and can be put away. */
export const refused = (text: string): void => void ElMessage.error({ message: text, duration: LONG_MS, showClose: true })
