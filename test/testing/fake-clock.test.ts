import { describe, expect, it, vi } from 'vitest'
import { createTidemark, isTidemarkError, memory, ttl } from 'tidemark'
import { FakeClock } from 'tidemark/testing'

describe('FakeClock', () => {
  it('stands still until it is told to move', async () => {
    const clock = new FakeClock()
    const now = clock.now()
    expect(new Date(now).toISOString()).toBe('2030-01-01T00:00:00.000Z')
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect([clock.now(), clock.coarse()]).toEqual([now, now])
    await clock.advance('1.5s')
    expect([clock.now() - now, clock.coarse() - now]).toEqual([1_500, 1_500])
    expect(new FakeClock(42).now()).toBe(42)
  })

  it('runs what becomes due in the order of time, then of asking, each at its moment', async () => {
    const clock = new FakeClock(0)
    const ran: string[] = []
    const at = (ms: number, name: string): void => void clock.schedule(ms, () => ran.push(`${name} at ${clock.now()}`))
    at(30, 'c')
    at(10, 'a')
    at(20, 'b')
    at(10, 'a2')
    at(31, 'later')
    await clock.advance(30)
    expect(ran).toEqual(['a at 10', 'a2 at 10', 'b at 20', 'c at 30'])
    expect(clock.timers).toBe(1)
    await clock.advance(1)
    expect(ran.at(-1)).toBe('later at 31')
  })

  it('runs what a timer schedules, as far as it is due on the way', async () => {
    const clock = new FakeClock(0)
    const ran: number[] = []
    const tick = (): void => {
      ran.push(clock.now())
      clock.schedule(10, tick)
    }
    clock.schedule(10, tick)
    clock.schedule(25, () => clock.schedule(0, () => ran.push(-clock.now())))
    await clock.advance(35)
    expect(ran).toEqual([10, 20, -25, 30])
    expect(clock.timers).toBe(1)
  })

  it('lets promises finish between timers, so that what follows from one is seen by the next', async () => {
    const clock = new FakeClock(0)
    const log: string[] = []
    clock.schedule(1, () => void Promise.resolve().then(async () => log.push('from the first')))
    clock.schedule(2, () => log.push('second'))
    await clock.advance(2)
    expect(log).toEqual(['from the first', 'second'])
  })

  it('runs nothing that was cancelled, also by an earlier timer', async () => {
    const clock = new FakeClock(0)
    const ran = vi.fn<() => void>()
    clock.schedule(5, ran)()
    const cancel = clock.schedule(6, ran)
    clock.schedule(5, cancel)
    await clock.advance(10)
    expect(ran).not.toHaveBeenCalled()
    expect(clock.timers).toBe(0)
  })

  it('jump: what is due by then runs once, as if nothing had happened in between', async () => {
    const clock = new FakeClock(0)
    const ran: number[] = []
    const tick = (): void => {
      ran.push(clock.now())
      clock.schedule(1_000, tick)
    }
    clock.schedule(1_000, tick)
    await clock.jump('365d')
    expect(ran).toEqual([365 * 86_400_000])
    expect(clock.timers).toBe(1)
  })

  it('takes durations only, and never goes back', async () => {
    const clock = new FakeClock()
    for (const wrong of [-1, Number.NaN, 'soon' as '1s']) {
      const error: unknown = await clock.advance(wrong).catch((it: unknown) => it)
      expect(isTidemarkError(error, 'invalid-duration')).toBe(true)
    }
  })

  it('moves a cache: no test has to sleep', async () => {
    const clock = new FakeClock()
    await using tide = createTidemark({ tiers: [memory()], clock })
    const users = tide.resource({ name: 'users', load: (key: string) => `${key} ${clock.now()}`, freshness: ttl('1h') })
    const first = await users.get('a')
    await clock.advance('59m')
    expect(await users.get('a')).toBe(first)
    await clock.advance('1m')
    expect(await users.get('a')).not.toBe(first)
  })
})
