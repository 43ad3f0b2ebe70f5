import assert from 'node:assert/strict'
import { entryOf, listed, valueOf, type TierCase } from './case.ts'

/** Storing, finding, replacing, expiring. */
export const basicCases: readonly TierCase[] = [
  {
    name: 'finds what was put, with everything that was said about it',
    run: async (tier, clock) => {
      const entry = entryOf(
        clock,
        'users',
        'a',
        { n: 1 },
        { scope: 's', era: 'e', tags: ['t'], identity: ['k', null, 3], revision: 'r1' },
      )
      assert.equal(await tier.put(entry), true)
      const found = await tier.get(entry.key)
      assert.ok(found)
      const { bytes: _, staleAt, ...rest } = found
      assert.equal(staleAt, undefined)
      assert.deepEqual({ ...rest }, { ...entry })
    },
  },
  {
    name: 'answers undefined for what it does not have',
    run: async (tier, clock) => {
      await tier.put(entryOf(clock, 'users', 'a', 1))
      assert.equal(await valueOf(tier, 'users', 'b'), undefined)
      assert.equal(await valueOf(tier, 'others', 'a'), undefined)
    },
  },
  {
    name: 'replaces under the same key',
    run: async (tier, clock) => {
      await tier.put(entryOf(clock, 'users', 'a', 'old', { scope: 'one', tags: ['x'] }))
      await tier.put(entryOf(clock, 'users', 'a', 'new', { scope: 'two', tags: ['y'] }))
      assert.equal(await valueOf(tier, 'users', 'a'), 'new')
      assert.equal(await tier.count({ kind: 'name', name: 'users' }), 1)
      assert.deepEqual(await listed(tier, { kind: 'tag', tag: 'x' }), [])
      assert.deepEqual(await listed(tier, { kind: 'scope', scope: 'two' }), ['users/a'])
    },
  },
  {
    name: 'keeps the order of puts that are not awaited',
    run: async (tier, clock) => {
      await Promise.all([1, 2, 3].map((n) => tier.put(entryOf(clock, 'users', 'a', n))))
      assert.equal(await valueOf(tier, 'users', 'a'), 3)
    },
  },
  {
    name: 'keeps the order also when a large value is followed by a small one, or by a removal',
    run: async (tier, clock) => {
      const large = (): Promise<boolean> | boolean => tier.put(entryOf(clock, 'users', 'a', 'x'.repeat(200_000)))
      await Promise.all([large(), tier.put(entryOf(clock, 'users', 'a', 'small'))])
      assert.equal(await valueOf(tier, 'users', 'a'), 'small')
      await Promise.all([large(), tier.remove({ kind: 'name', name: 'users' })])
      assert.equal(await valueOf(tier, 'users', 'a'), undefined)
      await Promise.all([tier.put(entryOf(clock, 'users', 'a', 'small')), large()])
      assert.equal(((await valueOf(tier, 'users', 'a')) as string).length, 200_000)
    },
  },
  {
    name: 'inclusive-boundary: at keepUntil an entry is gone from reads, lists, counts and sweeps alike',
    run: async (tier, clock) => {
      await tier.put(entryOf(clock, 'users', 'a', 1, { keepUntil: clock.now() + 1000 }))
      await clock.advance(999)
      assert.equal(await valueOf(tier, 'users', 'a'), 1)
      assert.equal(await tier.sweep(clock.now(), 100), 0)
      await clock.advance(1)
      assert.equal(await valueOf(tier, 'users', 'a'), undefined)
      assert.equal(await tier.count({ kind: 'name', name: 'users' }), 0)
      assert.deepEqual(await listed(tier, { kind: 'all' }), [])
      assert.equal(await tier.sweep(clock.now(), 100), 1)
      assert.equal(await tier.sweep(clock.now(), 100), 0)
    },
  },
  {
    name: 'sweeps only what is past its time, at most so many at once',
    run: async (tier, clock) => {
      const short = Array.from({ length: 30 }, (_, i) => entryOf(clock, 'short', i, i, { keepUntil: clock.now() + 10 }))
      const long = Array.from({ length: 5 }, (_, i) => entryOf(clock, 'long', i, i))
      await Promise.all([...short, ...long].map((entry) => tier.put(entry)))
      await clock.advance(10)
      const dropped: number[] = []
      for (let i = 0; i < 20 && dropped.reduce((a, b) => a + b, 0) < 30; i++)
        dropped.push(await tier.sweep(clock.now(), 7))
      assert.ok(
        dropped.every((count) => count <= 7),
        `dropped ${dropped.join(', ')}`,
      )
      assert.equal(
        dropped.reduce((a, b) => a + b, 0),
        30,
      )
      assert.equal(await tier.count({ kind: 'all' }), 5)
    },
  },
  {
    name: 'answers many keys in their order',
    run: async (tier, clock) => {
      await Promise.all(['a', 'b', 'c'].map((key) => tier.put(entryOf(clock, 'users', key, key))))
      const keys = ['c', 'missing', 'a'].map((id) => ({ name: 'users', id }))
      const found = tier.getMany ? await tier.getMany(keys) : await Promise.all(keys.map((key) => tier.get(key)))
      assert.deepEqual(
        found.map((entry) => entry?.value),
        ['c', undefined, 'a'],
      )
    },
  },
  {
    name: 'mark stale: the entry is stale from then, all windows start there, an earlier end is kept',
    run: async (tier, clock) => {
      const now = clock.now()
      const times = { freshUntil: now + 1000, staleUntil: now + 1300, errorUntil: now + 2000, keepUntil: now + 3000 }
      await tier.put(entryOf(clock, 'users', 'a', 1, times))
      await clock.advance(400)
      const key = { name: 'users', id: 'a' }
      const touched = await tier.remove({ kind: 'key', key }, clock.now())
      const entry = await tier.get(key)
      // A tier that cannot mark may remove.
      if (!entry) return
      assert.equal(touched, 1)
      const { freshUntil, staleUntil, errorUntil, keepUntil, staleAt } = entry
      const at = now + 400
      assert.deepEqual(
        { freshUntil, staleUntil, errorUntil, keepUntil, staleAt },
        { freshUntil: at, staleUntil: at + 300, errorUntil: at + 1000, keepUntil: at + 2000, staleAt: at },
      )
      await clock.advance(100)
      await tier.remove({ kind: 'key', key }, clock.now())
      assert.equal((await tier.get(key))?.freshUntil, at, 'marked again, but it was stale before')
      await clock.advance(1900)
      assert.equal(await tier.get(key), undefined, 'past the shifted keepUntil')
    },
  },
]
