// The short way to a fresh value, and what other processes' changes do to it.

import { describe, expect, it } from 'vitest'
import { memory, type Clock, type Entry, type Front, type Tier } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { slotOfEra, slotOfKey, slotOfName, slotOfScope, slotOfTag, SLOT_OF_ALL } from '../../src/slot.ts'
import { entryOf } from '../../src/testing/tier-cases/case.ts'

function open(clock: Clock = new FakeClock()): { tier: Tier; front: Front } {
  const tier = memory()
  tier.attach?.({ clock, report: () => {} })
  return { tier, front: tier.front?.('users') as Front }
}
const clock = new FakeClock()
const entry = (more: Partial<Entry> = {}, id = 'a'): Entry => entryOf(clock, 'users', id, `value of ${id}`, more)

describe('fresh', () => {
  it('is the value until freshUntil, and not at it', async () => {
    const clock = new FakeClock()
    const { tier, front } = open(clock)
    await tier.put({ ...entry(), loadedAt: clock.now(), freshUntil: clock.now() + 5_000 })
    for (const [ms, found] of [
      [0, true],
      [4_999, true],
      [1, false],
      [1, false],
    ] as const) {
      await clock.advance(ms)
      expect(front.fresh('a') !== undefined).toBe(found)
    }
    expect((await tier.get({ name: 'users', id: 'a' }))?.value, 'but it is still there').toBe('value of a')
  })

  it('a coarse clock that lags never makes a value fresh for longer', async () => {
    let now = 1_000_000
    let coarse = 1_000_000
    const { tier, front } = open({ now: () => now, coarse: () => coarse, schedule: () => () => {} })
    await tier.put(entry({ freshUntil: now + 5_000 }))
    now += 5_000
    coarse += 4_200
    expect(front.fresh('a')).toBeUndefined()
  })

  it('is undefined for what is not there, is another name’s, was removed or marked', async () => {
    const { tier, front } = open()
    expect(front.fresh('a')).toBeUndefined()
    await tier.put(entryOf(clock, 'others', 'a', 1))
    expect(front.fresh('a')).toBeUndefined()
    await tier.put(entry())
    expect(front.fresh('a')).toBe('value of a')
    await tier.remove({ kind: 'key', key: { name: 'users', id: 'a' } }, clock.now())
    expect(front.fresh('a')).toBeUndefined()
    await tier.put(entry())
    await tier.remove({ kind: 'all' })
    expect(front.fresh('a')).toBeUndefined()
  })

  it('hands out what can be any value but undefined', async () => {
    const { tier, front } = open()
    for (const value of [null, 0, false, '', Number.NaN]) {
      await tier.put({ ...entry(), value })
      expect(Object.is(front.fresh('a'), value)).toBe(true)
    }
  })
})

describe('extend', () => {
  it('moves the end and all windows with it, never beyond the longest time, never back', async () => {
    const clock = new FakeClock()
    const { tier, front } = open(clock)
    const now = clock.now()
    await tier.put(
      entry({
        loadedAt: now,
        freshUntil: now + 100,
        staleUntil: now + 150,
        errorUntil: now + 200,
        keepUntil: now + 300,
      }),
    )
    await clock.advance(60)
    expect(front.extend('a', 100, 250)).toBe(now + 160)
    expect(await tier.get({ name: 'users', id: 'a' })).toMatchObject({
      freshUntil: now + 160,
      staleUntil: now + 210,
      errorUntil: now + 260,
      keepUntil: now + 360,
    })
    expect(front.extend('a', 10, 250), 'never back').toBe(now + 160)
    await clock.advance(99)
    expect(front.extend('a', 100, 250), 'never beyond').toBe(now + 250)
    expect(front.extend('missing', 100, 250)).toBe(0)
  })
})

describe('forget', () => {
  const GROUPS = { scope: 's', era: 'e', tags: ['t'] }
  const SLOTS: readonly (readonly [string, number])[] = [
    ['its key', slotOfKey({ name: 'users', id: 'a' })],
    ['its name', slotOfName('users')],
    ['its scope', slotOfScope('s')],
    ["its name's part of the scope", slotOfScope('s', 'users')],
    ['its era', slotOfEra('e', 's')],
    ['one of its tags', slotOfTag('t')],
    ['everything', SLOT_OF_ALL],
  ]

  it.for(SLOTS)('another process changed %s: the entry is gone, and so is every lease for it', async ([, slot]) => {
    const { tier, front } = open()
    await tier.put(entry(GROUPS))
    await tier.put(entryOf(clock, 'others', 'b', 1))
    const lease = await tier.lease()
    tier.forget?.([slot])
    expect(front.fresh('a')).toBeUndefined()
    expect(await tier.get({ name: 'users', id: 'a' })).toBeUndefined()
    expect(await tier.put(entry(GROUPS), lease)).toBe(false)
    expect(await tier.put(entry(GROUPS), await tier.lease())).toBe(true)
    expect(front.fresh('a')).toBe('value of a')
    if (slot !== SLOT_OF_ALL) expect(await tier.get({ name: 'others', id: 'b' })).toBeDefined()
  })

  it('what was forgotten is not listed, counted or removed', async () => {
    const { tier } = open()
    await tier.put(entry())
    await tier.put(entry({}, 'b'))
    tier.forget?.([slotOfKey({ name: 'users', id: 'a' })])
    expect(await tier.count({ kind: 'all' })).toBe(1)
    expect(await tier.remove({ kind: 'name', name: 'users' })).toBe(1)
  })

  it('changes may have been missed: nothing is believed any more', async () => {
    const { tier, front } = open()
    await tier.put(entry())
    const lease = await tier.lease()
    tier.forget?.('all')
    expect(front.fresh('a')).toBeUndefined()
    expect(await tier.count({ kind: 'all' })).toBe(0)
    expect(await tier.put(entry({}, 'never seen before'), lease)).toBe(false)
  })
})
