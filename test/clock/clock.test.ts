import { expect, it, onTestFinished, vi } from 'vitest'
import { systemClock } from '../../src/clock.ts'

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

it('tells whole milliseconds since 1970 that never go back', () => {
  let before = systemClock.now()
  expect(Math.abs(before - Date.now())).toBeLessThan(5_000)
  for (let i = 0; i < 10_000; i++) {
    const now = systemClock.now()
    expect(Number.isInteger(now)).toBe(true)
    expect(now).toBeGreaterThanOrEqual(before)
    before = now
  }
})

it('the coarse clock goes on while the event loop is blocked, as long as somebody reads it', () => {
  const startedAt = systemClock.now()
  // Read so often that it keeps its answer, for a while, without a turn of the event loop.
  while (systemClock.now() - startedAt < 30) for (let i = 0; i < 100; i++) systemClock.coarse()
  for (let i = 0; i < 64; i++) systemClock.coarse()
  expect(systemClock.coarse() - startedAt).toBeGreaterThanOrEqual(30)
  expect(systemClock.coarse()).toBeLessThanOrEqual(systemClock.now())
})

it('runs what is scheduled once, not before its time, and not when it was cancelled', async () => {
  const ran = vi.fn<(what: string) => void>()
  const startedAt = performance.now()
  let ranAt = 0
  systemClock.schedule(20, () => {
    ran('kept')
    ranAt = performance.now()
  })
  systemClock.schedule(5, () => ran('cancelled'))()
  await sleep(60)
  expect(ran.mock.calls).toEqual([['kept']])
  // The platform's timers count in whole milliseconds.
  expect(ranAt - startedAt).toBeGreaterThanOrEqual(19)
})

it('long-ttl: what is scheduled beyond 2^31 ms does not run at once, and runs in its time', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const ran = vi.fn<() => void>()
  const month = 31 * 86_400_000
  systemClock.schedule(2 * month, ran)
  const never = vi.fn<() => void>()
  const cancel = systemClock.schedule(Number.POSITIVE_INFINITY, never)
  vi.advanceTimersByTime(2 * month - 1)
  expect(ran).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(ran).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(12 * month)
  expect(never).not.toHaveBeenCalled()
  cancel()
  expect(vi.getTimerCount()).toBe(0)
})
