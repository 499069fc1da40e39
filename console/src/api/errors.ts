/** One error for everything that can go wrong between the page and a service. */
import type { ErrorBody, FieldProblem } from './types'

export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly fields: FieldProblem[]
  readonly requestId: string

  constructor(status: number, body: ErrorBody) {
    super(body.message)
    this.name = 'ApiError'
    this.status = status
    this.code = body.code
    this.fields = body.fields ?? []
    this.requestId = body.request_id ?? ''
  }
}

/** The service's own error, or a plain one when a proxy answered instead of a service. */
export async function errorFrom(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null)
  if (isErrorBody(body)) return new ApiError(response.status, body)
  return new ApiError(response.status, {
    code: `console.http_${response.status}`,
    message: '',
    request_id: response.headers.get('x-request-id') ?? '',
  })
}

export function unreachable(cause: unknown): ApiError {
  const timedOut = cause instanceof DOMException && cause.name === 'TimeoutError'
  return new ApiError(0, { code: timedOut ? 'console.timeout' : 'console.offline', message: '' })
}

/** A file was changed or taken away after it was chosen: the browser no longer gives it out. */
export const fileChanged = (): ApiError => new ApiError(0, { code: 'console.file_changed', message: '' })

export function isAbort(cause: unknown): boolean {
  return cause instanceof DOMException && cause.name === 'AbortError'
}

function isErrorBody(body: unknown): body is ErrorBody {
  return typeof body === 'object' && body !== null && 'code' in body && 'message' in body
}
