import assert from 'node:assert/strict'
import type { Selector } from '../../key.ts'
import type { Tier } from '../../tier/tier.ts'
import type { FakeClock } from '../fake-clock.ts'
import { entryOf, listed, type TierCase } from './case.ts'

async function fill(tier: Tier, clock: FakeClock): Promise<void> {
  await tier.put(entryOf(clock, 'users', 'a', 1, { scope: 's', era: 'e', tags: ['x', 'y'] }))
  await tier.put(entryOf(clock, 'users', 'b', 2, { scope: 's' }))
  await tier.put(entryOf(clock, 'users', 'c', 3, { scope: 't', era: 'e', tags: ['y'] }))
  await tier.put(entryOf(clock, 'users2', 'a', 4, { scope: 's', era: 'e' }))
  await tier.put(entryOf(clock, 'other', 'a', 5))
}

const ALL = ['other/a', 'users/a', 'users/b', 'users/c', 'users2/a']

const meanings: readonly (readonly [string, Selector, readonly string[]])[] = [
  ['a key', { kind: 'key', key: { name: 'users', id: 'a' } }, ['users/a']],
  ['a scope', { kind: 'scope', scope: 's' }, ['users/a', 'users/b', 'users2/a']],
  ['a scope within a name', { kind: 'scope', scope: 's', name: 'users' }, ['users/a', 'users/b']],
  ['an era', { kind: 'era', era: 'e', scope: 's' }, ['users/a', 'users2/a']],
  ['a tag', { kind: 'tag', tag: 'y' }, ['users/a', 'users/c']],
  ['a name', { kind: 'name', name: 'users' }, ['users/a', 'users/b', 'users/c']],
  ['all', { kind: 'all' }, ALL],
  ['nothing', { kind: 'tag', tag: 'none' }, []],
]

/** What a selector means, for lists, counts and removals alike. */
export const selectorCases: readonly TierCase[] = [
  ...meanings.map(([what, selector, means]): TierCase => ({
    name: `selects ${what}: lists, counts and removes exactly that`,
    run: async (tier, clock) => {
      await fill(tier, clock)
      assert.deepEqual(await listed(tier, selector), means)
      assert.equal(await tier.count(selector), means.length)
      assert.equal(await tier.remove(selector), means.length)
      assert.deepEqual(
        await listed(tier, { kind: 'all' }),
        ALL.filter((key) => !means.includes(key)),
      )
      assert.equal(await tier.count(selector), 0)
    },
  })),
  {
    name: 'marks a group stale and leaves the others fresh',
    run: async (tier, clock) => {
      await fill(tier, clock)
      await tier.remove({ kind: 'tag', tag: 'y' }, clock.now())
      for (const [name, id, stale] of [
        ['users', 'a', true],
        ['users', 'b', false],
        ['users', 'c', true],
      ] as const) {
        const entry = await tier.get({ name, id })
        if (entry) assert.equal(entry.freshUntil <= clock.now(), stale, `${name}/${id}`)
        else assert.ok(stale, `${name}/${id} is gone`)
      }
    },
  },
  {
    name: 'clear-clears-exactly: empty names, %, _, and prefixes of siblings',
    run: async (tier, clock) => {
      const names = ['', 'users', 'users2', 'user', '%', '_', 'u%', "'", 'users:', 'USERS']
      for (const name of names) await tier.put(entryOf(clock, name, 'a', name, { scope: name, tags: [name] }))
      let left = names
      for (const gone of ['users', '%', '', '_', 'u%']) {
        assert.equal(await tier.remove({ kind: 'name', name: gone }), 1, `name ${JSON.stringify(gone)}`)
        left = left.filter((name) => name !== gone)
        assert.deepEqual(await listed(tier, { kind: 'all' }), left.map((name) => `${name}/a`).toSorted())
      }
      assert.equal(await tier.remove({ kind: 'scope', scope: "'" }), 1)
      assert.equal(await tier.remove({ kind: 'tag', tag: 'user' }), 1)
      assert.deepEqual(await listed(tier, { kind: 'all' }), ['USERS/a', 'users2/a', 'users:/a'])
    },
  },
  {
    name: 'a name that was cleared can be filled again',
    run: async (tier, clock) => {
      await fill(tier, clock)
      await tier.remove({ kind: 'name', name: 'users' })
      await tier.put(entryOf(clock, 'users', 'a', 'again', { scope: 's', tags: ['x'] }))
      assert.deepEqual(await listed(tier, { kind: 'name', name: 'users' }), ['users/a'])
      assert.deepEqual(await listed(tier, { kind: 'tag', tag: 'x' }), ['users/a'])
      for (let i = 0; i < 10; i++) await tier.sweep(clock.now(), 100)
      assert.equal((await tier.get({ name: 'users', id: 'a' }))?.value, 'again')
    },
  },
]
