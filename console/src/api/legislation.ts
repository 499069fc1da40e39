/** Law search 法规检索 and one article 条文. */
import { client } from './client'
import type { ArticleSearch, ArticleText, Basis } from './types'

const ROOT = '/api/legislation/v1'

export interface ArticleQuery {
  q: string
  kind?: string
  status?: string
  offset: number
  limit: number
}

export const searchArticles = (search: ArticleQuery, signal?: AbortSignal): Promise<ArticleSearch> =>
  client.get<ArticleSearch>(`${ROOT}/articles/search`, { query: { ...search }, signal })

export const articleText = (basis: Basis, signal?: AbortSignal): Promise<ArticleText> =>
  client.get<ArticleText>(`${ROOT}/basis`, { query: { ...basis }, signal })
