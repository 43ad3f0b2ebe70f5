import { describe, expect, it } from 'vitest'
import type { Entry, KeyInput } from 'tidemark'
import { entryOf } from '../../src/testing/tier-cases/case.ts'
import { openTier, sql, testPaths, type OpenTier } from './tier.ts'

const nextPath = testPaths()
const rows = ({ path }: OpenTier): number => (sql(path, 'SELECT count(*) AS n FROM entries')[0] as { n: number }).n
const swept = ({ reports }: OpenTier, name: string): number =>
  reports.reduce(
    (sum, it) => (it.kind === 'evicted' && it.cause === 'ttl' && it.name === name ? sum + it.count : sum),
    0,
  )

async function fill(open: OpenTier, name: string, keys: number, more: Partial<Entry> = {}): Promise<void> {
  const { tier, clock } = open
  await Promise.all(Array.from({ length: keys }, (_, i) => tier.put(entryOf(clock, name, i as KeyInput, i, more))))
}

/** Sweeps as the cache does, until nothing is left to drop. */
async function sweepAll({ tier, clock }: OpenTier, limit = 500): Promise<number> {
  let dropped = 0
  for (let idle = 0; idle < 10;) {
    const count = await tier.sweep(clock.now(), limit)
    expect(count).toBeLessThanOrEqual(limit)
    dropped += count
    idle = count === 0 ? idle + 1 : 0
  }
  return dropped
}

describe('sweeping', () => {
  it('drops what is past its time and nothing else, and tells how many by name', async () => {
    const open = openTier(nextPath())
    const soon = open.clock.now() + 100
    await fill(open, 'short', 700, { freshUntil: soon, keepUntil: soon })
    await fill(open, 'kept', 50, { freshUntil: soon, keepUntil: soon + 1 })
    await fill(open, 'other', 30, { freshUntil: soon, keepUntil: soon })
    await open.clock.advance(99)
    expect(await sweepAll(open)).toBe(0)
    await open.clock.advance(1)
    expect(await sweepAll(open, 64)).toBe(730)
    expect([swept(open, 'short'), swept(open, 'other'), swept(open, 'kept')]).toEqual([700, 30, 0])
    expect(rows(open)).toBe(50)
  })

  it('counts the time an invalidation took off', async () => {
    const open = openTier(nextPath())
    const now = open.clock.now()
    await fill(open, 'users', 10, { freshUntil: now + 1_000, keepUntil: now + 2_000 })
    await open.tier.remove({ kind: 'name', name: 'users' }, now)
    await open.clock.advance(999)
    expect(await sweepAll(open)).toBe(0)
    await open.clock.advance(1)
    expect(await sweepAll(open)).toBe(10)
  })

  it('walks a table of any size in slices, and finds what is past its time anywhere in it [proxies 37]', async () => {
    const open = openTier(nextPath())
    const soon = open.clock.now() + 100
    await fill(open, 'kept', 9_000)
    await fill(open, 'late', 5, { freshUntil: soon, keepUntil: soon })
    await fill(open, 'more', 9_000)
    await open.clock.advance(100)
    let dropped = 0
    for (let slices = 0; dropped < 5 && slices < 100; slices++) dropped += await open.tier.sweep(open.clock.now(), 500)
    expect(dropped).toBe(5)
    expect(rows(open)).toBe(18_000)
  })

  it('an entry past its time is replaced by a write, and is no reason to refuse a load', async () => {
    const open = openTier(nextPath())
    const { tier, clock } = open
    await fill(open, 'users', 1, { freshUntil: clock.now() + 5, keepUntil: clock.now() + 5 })
    await clock.advance(10)
    expect(await tier.put(entryOf(clock, 'users', 0, 'again'), await tier.lease())).toBe(true)
    expect(rows(open)).toBe(1)
    expect(await sweepAll(open)).toBe(0)
  })
})

describe('a name that was cleared', () => {
  it('is gone at once with one row written, and its rows leave by sweeps, uncounted', async () => {
    const open = openTier(nextPath())
    const { tier } = open
    await fill(open, 'users', 1_200, { tags: ['t'] })
    await fill(open, 'kept', 10, { tags: ['t'] })
    expect(await tier.remove({ kind: 'name', name: 'users' })).toBe(1_200)
    expect(rows(open)).toBe(1_210)
    for (const selector of [{ kind: 'all' }, { kind: 'tag', tag: 't' }] as const)
      expect(await tier.count(selector)).toBe(10)
    expect(await tier.get({ name: 'users', id: '[5]' })).toBeUndefined()
    expect(await sweepAll(open)).toBe(1_200)
    expect(rows(open)).toBe(10)
    expect(open.reports).toEqual([])
    expect(sql(open.path, 'SELECT name FROM names')).toEqual([{ name: 'kept' }])
    expect(sql(open.path, 'SELECT count(*) AS n FROM tags')).toEqual([{ n: 10 }])
  })

  it('can be filled again at once, and what is new is not swept with what is old', async () => {
    const open = openTier(nextPath())
    const { tier } = open
    for (let round = 0; round < 3; round++) {
      await fill(open, 'users', 20)
      expect(await tier.remove({ kind: 'name', name: 'users' })).toBe(20)
    }
    await fill(open, 'users', 5)
    expect(await tier.count({ kind: 'name', name: 'users' })).toBe(5)
    expect(await sweepAll(open, 7)).toBe(60)
    expect(await tier.count({ kind: 'name', name: 'users' })).toBe(5)
  })

  it('everything cleared: every name', async () => {
    const open = openTier(nextPath())
    for (const name of ['a', 'b', '']) await fill(open, name, 4)
    expect(await open.tier.remove({ kind: 'all' })).toBe(12)
    expect(await open.tier.count({ kind: 'all' })).toBe(0)
    expect(await sweepAll(open)).toBe(12)
  })
})

describe('tags', () => {
  it('an entry with a tag named twice is one, and loses the tags it is not given again', async () => {
    const open = openTier(nextPath())
    const { tier, clock } = open
    await tier.put(entryOf(clock, 'users', 'a', 1, { tags: ['x', 'x', 'y'] }))
    expect(await tier.count({ kind: 'tag', tag: 'x' })).toBe(1)
    await tier.put(entryOf(clock, 'users', 'a', 1, { tags: ['z'] }))
    expect(await tier.count({ kind: 'tag', tag: 'x' })).toBe(0)
    expect(await tier.remove({ kind: 'tag', tag: 'z' })).toBe(1)
    expect(rows(open)).toBe(0)
  })

  it('an entry put again without any is in none', async () => {
    const open = openTier(nextPath())
    const { tier, clock } = open
    for (const again of [entryOf(clock, 'users', 'a', 2), entryOf(clock, 'users', 'a', new Date(5))]) {
      await tier.put(entryOf(clock, 'users', 'a', 1, { tags: ['x'] }))
      await tier.put(again)
      expect(await tier.count({ kind: 'tag', tag: 'x' })).toBe(0)
      expect(await tier.remove({ kind: 'tag', tag: 'x' })).toBe(0)
      expect((await tier.get(again.key))?.value).toEqual(again.value)
    }
  })
})
