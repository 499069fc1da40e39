/** Going back to a place in a page whose rows are still on their way: wait until the page is long enough, unless the reader moves first. */

export interface Place {
  left: number
  top: number
}

const LONGEST_MS = 4000
const MOVES = ['wheel', 'touchstart', 'keydown', 'pointerdown'] as const

/** The place once the page reaches down to it, or false where the reader moved first or it never did. */
export function onceReached(place: Place): Promise<Place | false> {
  if (reaches(place)) return Promise.resolve(place)
  return new Promise((resolve) => {
    const began = performance.now()
    let frame = 0
    const end = (answer: Place | false): void => {
      cancelAnimationFrame(frame)
      for (const move of MOVES) window.removeEventListener(move, moved)
      resolve(answer)
    }
    const moved = (): void => end(false)
    const look = (): void => {
      if (reaches(place)) end(place)
      else if (performance.now() - began > LONGEST_MS) end(false)
      else frame = requestAnimationFrame(look)
    }
    for (const move of MOVES) window.addEventListener(move, moved, { passive: true })
    frame = requestAnimationFrame(look)
  })
}

const reaches = (place: Place): boolean => document.documentElement.scrollHeight >= place.top + window.innerHeight
