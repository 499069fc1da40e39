/** Sign-in and who is signed in 登录; the reader's own second factor 双因素. */
import { client } from './client'
import type { Demonstration, Me } from './types'

const ROOT = '/api/gateway/v1'
const SESSIONS = `${ROOT}/sessions`

export const signIn = (account: string, password: string, code = ''): Promise<Me> =>
  client.post<Me>(SESSIONS, code ? { account, password, code } : { account, password })

export const currentSession = (): Promise<Me> => client.get<Me>(`${SESSIONS}/current`)

export const signOut = (): Promise<void> => client.delete<void>(`${SESSIONS}/current`)

/** Demonstration accounts; a real installation answers 404. */
export const demonstration = (): Promise<Demonstration> => client.get<Demonstration>(`${ROOT}/demonstration`)

export const changePassword = (account: string, password: string, next: string, code = ''): Promise<void> =>
  client.post<void>(`${ROOT}/passwords`, { account, password, new_password: next, code })

export interface FactorView {
  is_enrolled: boolean
  is_required: boolean
  must_enrol: boolean
  enrolled_at: string | null
  recovery_left: number
}

/** A key to be taken into an authenticator; `picture` is a data address. */
export interface FactorOffer {
  key: string
  address: string
  picture: string
  ends_at: string
}

export const factor = (signal?: AbortSignal): Promise<FactorView> => client.get<FactorView>(`${ROOT}/second-factor`, { signal })

export const beginFactor = (password: string, code: string): Promise<FactorOffer> =>
  client.post<FactorOffer>(`${ROOT}/second-factor`, { password, code })

export const confirmFactor = (code: string): Promise<{ recovery_codes: string[]; session: Me }> =>
  client.post(`${ROOT}/second-factor/confirmation`, { code })
