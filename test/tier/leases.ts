// Leases and claims among several processes that share a tier: what one changed is too old to store for all the others.

import { describe, expect, it } from 'vitest'
import { slotOfKey } from '../../src/slot.ts'
import type { Selector } from 'tidemark'
import { entryOf, valueOf, type Members } from './member.ts'

const removals: readonly (readonly [string, Selector])[] = [
  ['its key', { kind: 'key', key: { name: 'users', id: 'a' } }],
  ['its scope', { kind: 'scope', scope: 's' }],
  ['its scope in its name', { kind: 'scope', scope: 's', name: 'users' }],
  ['its era', { kind: 'era', era: 'e', scope: 's' }],
  ['one of its tags', { kind: 'tag', tag: 't' }],
  ['its name', { kind: 'name', name: 'users' }],
  ['everything', { kind: 'all' }],
]
const groups = { scope: 's', era: 'e', tags: ['t'] }

/** The tests every tier of several machines must pass. */
export function testLeasesAmongProcesses(newGroup: () => Members): void {
  describe.each(removals)('another process removes %s', (_, selector) => {
    it('of a name that this one has used', async () => {
      const { clock, join } = newGroup()
      const [a, b] = [join(), join()]
      await a.tier.get({ name: 'users', id: 'a' })
      const lease = await a.tier.lease()
      await b.tier.remove(selector)
      expect(await a.tier.put(entryOf(clock, 'a', 'old', groups), lease)).toBe(false)
      expect(await valueOf(b, 'a')).toBeUndefined()
    })

    it('of a name that nobody has used', async () => {
      const { clock, join } = newGroup()
      const [a, b] = [join(), join()]
      const lease = await a.tier.lease()
      await b.tier.remove(selector)
      expect(await a.tier.put(entryOf(clock, 'a', 'old', groups), lease)).toBe(false)
      expect(await a.tier.put(entryOf(clock, 'a', 'new', groups), await a.tier.lease())).toBe(true)
    })

    it('of a name that a third one used', async () => {
      const { clock, join } = newGroup()
      const [a, b, c] = [join(), join(), join()]
      const lease = await a.tier.lease()
      await c.tier.put(entryOf(clock, 'c', 1))
      await b.tier.remove(selector)
      expect(await a.tier.put(entryOf(clock, 'a', 'old', groups), lease)).toBe(false)
    })
  })

  it('what others change does not concern other entries, also when it was not heard of', async () => {
    const { clock, join } = newGroup()
    const [a, b] = [join(), join()]
    await a.tier.get({ name: 'users', id: 'a' })
    const lease = await a.tier.lease()
    for (let i = 0; i < 50; i++) await b.tier.put(entryOf(clock, `other ${i}`, i))
    expect(await a.tier.put(entryOf(clock, 'a', 'loaded', groups), lease)).toBe(true)
  })

  it('set-beats-older-load: also when both are on their way at once', async () => {
    const { clock, join } = newGroup()
    const { tier } = join()
    await tier.get({ name: 'users', id: 'a' })
    for (let i = 0; i < 20; i++) {
      const set = tier.put(entryOf(clock, 'a', `set ${i}`))
      const lease = await tier.lease()
      await set
      expect(await tier.put(entryOf(clock, 'a', 'loaded'), lease)).toBe(false)
    }
  })

  it('holder-killed: who takes a claim over makes the lease of the one before too old', async () => {
    const { clock, join } = newGroup()
    const [a, b] = [join(), join()]
    const key = { name: 'users', id: 'a' }
    expect(await a.tier.claims?.acquire(key, 'A', clock.now() + 30)).toBe(true)
    expect(await a.tier.claims?.acquire(key, 'A', clock.now() + 30)).toBe(true)
    const lease = await a.tier.lease()
    expect(await b.tier.claims?.acquire(key, 'B', clock.now() + 1_000)).toBe(false)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await b.tier.claims?.acquire(key, 'B', clock.now() + 1_000)).toBe(true)
    await a.tier.claims?.release(key, 'A')
    expect(await a.tier.claims?.acquire(key, 'A', clock.now() + 30)).toBe(false)
    expect(await b.tier.put(entryOf(clock, 'a', 'of B'), await b.tier.lease())).toBe(true)
    await clock.advance('1s')
    expect(await a.tier.put(entryOf(clock, 'a', 'of A'), lease)).toBe(false)
    await b.tier.claims?.release(key, 'B')
    expect(await a.tier.claims?.acquire(key, 'A', clock.now() + 30)).toBe(true)
  })

  it('a claim is let go when what is loaded was removed', async () => {
    const { clock, join } = newGroup()
    const { tier } = join()
    const key = { name: 'users', id: 'a' }
    for (const [, selector] of removals) {
      expect(await tier.claims?.acquire(key, 'A', clock.now() + 60_000)).toBe(true)
      await tier.remove(selector)
      expect(await tier.claims?.acquire(key, 'B', clock.now() + 60_000)).toBe(true)
      await tier.claims?.release(key, 'B')
    }
  })

  it('a key whose slot another one shares costs a store, nothing else', async () => {
    const { clock, join } = newGroup()
    const [a, b] = [join(), join()]
    const slot = slotOfKey({ name: 'users', id: 'a' })
    const twin = Array.from({ length: 400_000 }, (_, i) => `t${i}`).find(
      (id) => slotOfKey({ name: 'users', id }) === slot,
    ) as string
    await a.tier.get({ name: 'users', id: 'a' })
    const lease = await a.tier.lease()
    await b.tier.put(entryOf(clock, twin, 1))
    expect(await a.tier.put(entryOf(clock, 'a', 'loaded'), lease)).toBe(false)
    expect(await valueOf(a, twin)).toBe(1)
  })
}
