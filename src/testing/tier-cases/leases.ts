import assert from 'node:assert/strict'
import type { Selector } from '../../key.ts'
import { entryOf, valueOf, type TierCase } from './case.ts'

const removals: readonly (readonly [string, Selector])[] = [
  ['its key', { kind: 'key', key: { name: 'users', id: 'a' } }],
  ['its scope', { kind: 'scope', scope: 's' }],
  ["its name's part of the scope", { kind: 'scope', scope: 's', name: 'users' }],
  ['its era', { kind: 'era', era: 'e', scope: 's' }],
  ['one of its tags', { kind: 'tag', tag: 't2' }],
  ['its name', { kind: 'name', name: 'users' }],
  ['everything', { kind: 'all' }],
]

/** What a load may store, and when it may not. */
export const leaseCases: readonly TierCase[] = [
  ...removals.flatMap(([what, selector]) =>
    [false, true].map((mark): TierCase => ({
      name: `a lease does not hold after ${what} was ${mark ? 'marked stale' : 'removed'}`,
      run: async (tier, clock) => {
        const entry = entryOf(clock, 'users', 'a', 'loaded', { scope: 's', era: 'e', tags: ['t1', 't2'] })
        const lease = await tier.lease()
        await tier.remove(selector, mark ? clock.now() : undefined)
        assert.equal(await tier.put(entry, lease), false)
        assert.equal(await valueOf(tier, 'users', 'a'), undefined)
        assert.equal(await tier.put(entry, await tier.lease()), true, 'a lease from after it holds')
        assert.equal(await valueOf(tier, 'users', 'a'), 'loaded')
      },
    })),
  ),
  {
    name: 'a lease holds while other things change',
    run: async (tier, clock) => {
      const lease = await tier.lease()
      await tier.put(entryOf(clock, 'users', 'b', 1, { scope: 's2', tags: ['t3'] }))
      await tier.remove({ kind: 'key', key: { name: 'users', id: 'c' } })
      await tier.remove({ kind: 'scope', scope: 's2' })
      await tier.remove({ kind: 'name', name: 'others' })
      await tier.remove({ kind: 'tag', tag: 't3' })
      await tier.remove({ kind: 'era', era: 'e', scope: 's2' })
      assert.equal(
        await tier.put(entryOf(clock, 'users', 'a', 'loaded', { scope: 's', era: 'e', tags: ['t'] }), lease),
        true,
      )
      assert.equal(await valueOf(tier, 'users', 'a'), 'loaded')
    },
  },
  {
    name: 'set-beats-older-load: a set during a load wins over it',
    run: async (tier, clock) => {
      const lease = await tier.lease()
      await tier.put(entryOf(clock, 'users', 'a', 'set'))
      assert.equal(await tier.put(entryOf(clock, 'users', 'a', 'loaded'), lease), false)
      assert.equal(await valueOf(tier, 'users', 'a'), 'set')
    },
  },
  {
    name: 'two loads under one lease may both store; the one that finished last stays',
    run: async (tier, clock) => {
      const lease = await tier.lease()
      const older = entryOf(clock, 'users', 'a', 'older')
      await clock.advance(5)
      assert.equal(await tier.put(entryOf(clock, 'users', 'a', 'newer'), lease), true)
      assert.equal(await tier.put(older, lease), false, 'never over an entry loaded later')
      assert.equal(await valueOf(tier, 'users', 'a'), 'newer')
    },
  },
  {
    name: 'clock-steps: an entry from a future that is no more is replaced by a load of now',
    run: async (tier, clock) => {
      await tier.put(entryOf(clock, 'users', 'a', 'future', { loadedAt: clock.now() + 86_400_000 }))
      assert.equal(await tier.put(entryOf(clock, 'users', 'a', 'now'), await tier.lease()), true)
      assert.equal(await valueOf(tier, 'users', 'a'), 'now')
    },
  },
  {
    name: 'a load that ended its era may store, unless something else changed as well',
    run: async (tier, clock) => {
      const entry = entryOf(clock, 'users', 'a', 'new era', { scope: 's', era: 'e' })
      const at = (await tier.lease()) as number
      await tier.remove({ kind: 'era', era: 'e', scope: 's' })
      const eraAt = (await tier.lease()) as number
      assert.equal(await tier.put(entry, at), false)
      assert.equal(await tier.put(entry, { at, eraAt }), true)
      assert.equal(await valueOf(tier, 'users', 'a'), 'new era')
      await tier.remove({ kind: 'key', key: entry.key })
      assert.equal(await tier.put(entry, { at, eraAt }), false)
    },
  },
  {
    name: 'one that is no lease never holds',
    run: async (tier, clock) => {
      assert.equal(await tier.put(entryOf(clock, 'users', 'a', 1), Number.NaN), false)
      assert.equal(await valueOf(tier, 'users', 'a'), undefined)
    },
  },
]
