/**
 * Search snippets carry <em>…</em> around what was found. They are taken apart into text, never put
 * into the page as markup, so a law text cannot bring markup with it.
 */
export interface Piece {
  text: string
  marked: boolean
}

const entities: Record<string, string> = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&#x27;': "'", '&amp;': '&' }

export function pieces(snippet: string): Piece[] {
  let marked = false
  const found: Piece[] = []
  for (const part of snippet.split(/(<\/?em>)/)) {
    if (part === '<em>') marked = true
    else if (part === '</em>') marked = false
    else if (part) found.push({ text: part.replace(/&(lt|gt|quot|#39|#x27|amp);/g, (e) => entities[e] ?? e), marked })
  }
  return found
}
