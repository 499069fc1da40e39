/**
 * The one request client. Cookies carry the session; a state-changing call adds the session's CSRF word.
 * A token that ran out is renewed once for all waiting calls, and each of them is sent once more.
 */
import { ApiError, errorFrom, fileChanged, isAbort, unreachable } from './errors'
import type { Me } from './types'

export type Query = Record<string, string | number | undefined | null>

export interface CallOptions {
  query?: Query
  body?: unknown
  signal?: AbortSignal
  /** How the body of a good answer is read; JSON unless said. */
  read?: (response: Response) => Promise<unknown>
}

/** What the client needs to know of the session, and what it tells back. */
export interface SessionLink {
  csrf: () => string
  renewed: (me: Me) => void
  ended: () => void
}

export const RENEW = '/api/gateway/v1/sessions/renew'
const TIMEOUT_MS = 30_000
/** Refusals of a password or a code, which say nothing of the session. */
const ASKS_AGAIN = ['identity.wrong_credentials', 'identity.code_needed']

export class Client {
  private readonly send: typeof fetch
  private link: SessionLink
  private renewing: Promise<boolean> | null = null

  constructor(send: typeof fetch, link: SessionLink) {
    this.send = send
    this.link = link
  }

  connect(link: SessionLink): void {
    this.link = link
  }

  get<T>(path: string, options: CallOptions = {}): Promise<T> {
    return this.call<T>('GET', path, options)
  }

  /** A file as it is kept, byte for byte. */
  bytes(path: string): Promise<Blob> {
    return this.call<Blob>('GET', path, { read: (response) => response.blob() })
  }

  post<T>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return this.call<T>('POST', path, { ...options, body })
  }

  delete<T>(path: string, options: CallOptions = {}): Promise<T> {
    return this.call<T>('DELETE', path, options)
  }

  /** Hands a form with files in and tells how much of it has gone, from 0 to 1. */
  async upload<T>(path: string, form: FormData, progress: (share: number) => void = () => undefined): Promise<T> {
    await readable(form)
    return await this.again(path, () => sent<T>(path, form, this.link.csrf(), progress))
  }

  /** A file as it was handed in, with its session, so that a link never shows a bare error. */
  file(path: string): Promise<Blob> {
    return this.again(path, async () => {
      const response = await this.send(path, { credentials: 'same-origin' }).catch((error: unknown) => {
        throw unreachable(error)
      })
      if (!response.ok) throw await errorFrom(response)
      return await response.blob()
    })
  }

  private call<T>(method: string, path: string, options: CallOptions): Promise<T> {
    return this.again(path, () => this.once<T>(method, path, options))
  }

  /** The call, and once more when only its token had run out. */
  private async again<T>(path: string, once: () => Promise<T>): Promise<T> {
    try {
      return await once()
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error
      if (error.code === 'identity.token_expired' && path !== RENEW && (await this.renew())) {
        return await once()
      }
      if (!ASKS_AGAIN.includes(error.code)) this.link.ended()
      throw error
    }
  }

  /** Renews the session; calls that fail together share one renewal. */
  private renew(): Promise<boolean> {
    this.renewing ??= this.once<Me>('POST', RENEW, { body: {} })
      .then((me) => {
        this.link.renewed(me)
        return true
      })
      .catch(() => false)
      .finally(() => {
        this.renewing = null
      })
    return this.renewing
  }

  private async once<T>(method: string, path: string, options: CallOptions): Promise<T> {
    const headers: Record<string, string> = { accept: 'application/json' }
    if (options.body !== undefined) headers['content-type'] = 'application/json'
    if (method !== 'GET' && this.link.csrf()) headers['x-fazhi-csrf'] = this.link.csrf()
    const limit = limited(options.signal)
    try {
      const response = await this.send(path + queryText(options.query), {
        method,
        headers,
        credentials: 'same-origin',
        body: options.body === undefined ? undefined : JSON.stringify(options.body),
        signal: limit.signal,
      })
      if (!response.ok) throw await errorFrom(response)
      if (options.read) return (await options.read(response)) as T
      return (response.status === 204 ? undefined : await response.json()) as T
    } catch (error) {
      if (error instanceof ApiError) throw error
      if (isAbort(error) && !limit.timedOut()) throw error
      throw unreachable(limit.timedOut() ? new DOMException('', 'TimeoutError') : error)
    } finally {
      limit.done()
    }
  }
}

// A request whose file was changed on disk fails like a lost connection; asked for one byte, the file says so itself.
async function readable(form: FormData): Promise<void> {
  const files = [...form.values()].filter((value) => value instanceof File)
  await Promise.all(files.map((file) => file.slice(0, 1).arrayBuffer())).catch(() => {
    throw fileChanged()
  })
}

// fetch does not say how much of a body has gone; XMLHttpRequest does.
function sent<T>(path: string, form: FormData, csrf: string, progress: (share: number) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', path)
    request.setRequestHeader('accept', 'application/json')
    if (csrf) request.setRequestHeader('x-fazhi-csrf', csrf)
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) progress(event.loaded / event.total)
    }
    request.onerror = () => reject(unreachable(new TypeError('network')))
    request.onload = () => {
      const answer = new Response(request.responseText, { status: request.status })
      if (request.status < 300) answer.json().then((value: T) => resolve(value), reject)
      else errorFrom(answer).then(reject, reject)
    }
    request.send(form)
  })
}

function queryText(query: Query | undefined): string {
  const words = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null && value !== '') words.set(name, String(value))
  }
  const text = words.toString()
  return text ? `?${text}` : ''
}

// AbortSignal.any and .timeout are missing in older Chromium builds.
function limited(outer?: AbortSignal): { signal: AbortSignal; timedOut: () => boolean; done: () => void } {
  const controller = new AbortController()
  let late = false
  const timer = setTimeout(() => {
    late = true
    controller.abort()
  }, TIMEOUT_MS)
  const stop = (): void => controller.abort()
  if (outer?.aborted) stop()
  outer?.addEventListener('abort', stop)
  return {
    signal: controller.signal,
    timedOut: () => late,
    done: () => {
      clearTimeout(timer)
      outer?.removeEventListener('abort', stop)
    },
  }
}

export const client = new Client((input, init) => fetch(input, init), {
  csrf: () => '',
  renewed: () => undefined,
  ended: () => undefined,
})
