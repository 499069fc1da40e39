/**
 * Whether somebody sits here 有人在席: a page that refreshes itself must not keep a session open for nobody (R38).
 * The gateway ends a session that was not renewed for fifteen minutes. So that nothing but a person's work renews it,
 * a page asks by itself only for as long after the last touch as a token lives.
 */
const IDLE_MS = 5 * 60_000
const TOUCHES = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart']

let touched = Date.now()

for (const touch of TOUCHES) {
  window.addEventListener(
    touch,
    () => {
      touched = Date.now()
    },
    { passive: true, capture: true },
  )
}

export function isAttended(): boolean {
  return Date.now() - touched < IDLE_MS
}
