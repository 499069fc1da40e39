/** Sign-in and who is signed in 登录. */
import { client } from './client'
import type { Demonstration, Me } from './types'

const SESSIONS = '/api/gateway/v1/sessions'

export const signIn = (account: string, password: string): Promise<Me> => client.post<Me>(SESSIONS, { account, password })

export const currentSession = (): Promise<Me> => client.get<Me>(`${SESSIONS}/current`)

export const signOut = (): Promise<void> => client.delete<void>(`${SESSIONS}/current`)

/** Demonstration accounts; a real installation answers 404. */
export const demonstration = (): Promise<Demonstration> => client.get<Demonstration>('/api/gateway/v1/demonstration')

export const changePassword = (account: string, password: string, next: string): Promise<void> =>
  client.post<void>('/api/gateway/v1/passwords', { account, password, new_password: next })
