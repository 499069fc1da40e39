/** A page asks by itself only while somebody sits there (R38). */
import { afterEach, expect, it, vi } from 'vitest'

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

it.each(['pointerdown', 'keydown', 'wheel'])('somebody sits here until five minutes after a touch: %s', async (touch) => {
  vi.useFakeTimers()
  vi.resetModules()
  vi.stubGlobal('window', new EventTarget())
  const { isAttended } = await import('@/api/attendance')
  expect(isAttended()).toBe(true)
  vi.advanceTimersByTime(5 * 60_000)
  expect(isAttended()).toBe(false)
  window.dispatchEvent(new Event(touch))
  expect(isAttended()).toBe(true)
})
