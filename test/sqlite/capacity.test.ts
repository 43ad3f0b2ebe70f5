import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { entryOf, listed } from '../../src/testing/tier-cases/case.ts'
import { openTier, sql, testPaths, type OpenTier } from './tier.ts'

const nextPath = testPaths()
const ALL = { kind: 'all' } as const
const put = async ({ tier, clock }: OpenTier, id: string, value: unknown = id, more = {}): Promise<unknown> =>
  tier.put(entryOf(clock, 'users', id, value, more))
const ids = async ({ tier }: OpenTier): Promise<string[]> =>
  (await listed(tier, ALL)).map((it) => it.slice('users/'.length))
const evicted = ({ reports }: OpenTier): string[] =>
  reports.flatMap((it) => (it.kind === 'evicted' && it.cause === 'size' ? [it.key?.id ?? '?'] : []))

describe('who leaves', () => {
  it('the oldest leaves first', async () => {
    const open = openTier(nextPath(), { maxEntries: 3 })
    for (const id of ['a', 'b', 'c', 'd', 'e']) await put(open, id)
    expect(await ids(open)).toEqual(['c', 'd', 'e'])
    expect(evicted(open)).toEqual(['a', 'b'])
  })

  it('but one that was read since gets a second round, and only one', async () => {
    const open = openTier(nextPath(), { maxEntries: 3 })
    for (const id of ['a', 'b', 'c']) await put(open, id)
    await open.tier.get({ name: 'users', id: 'a' })
    await put(open, 'd')
    expect(await ids(open)).toEqual(['a', 'c', 'd'])
    await put(open, 'e')
    await put(open, 'f')
    expect(await ids(open)).toEqual(['a', 'e', 'f'])
    await put(open, 'g')
    expect(await ids(open)).toEqual(['e', 'f', 'g'])
    expect(evicted(open)).toEqual(['b', 'c', 'd', 'a'])
  })

  it('a read writes nothing; what was read is known after a restart, from the next write on [proxies 15, 37]', async () => {
    const path = nextPath()
    const first = openTier(path, { maxEntries: 3 })
    for (const id of ['a', 'b', 'c']) await put(first, id)
    const changes = (): unknown => sql(path, 'SELECT sum(visited) AS visited FROM entries')
    await first.tier.get({ name: 'users', id: 'a' })
    expect(changes()).toEqual([{ visited: 0 }])
    await put(first, 'c')
    expect(changes()).toEqual([{ visited: 1 }])
    await first.tier.close()
    const second = openTier(path, { maxEntries: 3 })
    await put(second, 'd')
    expect(await ids(second)).toEqual(['a', 'c', 'd'])
  })

  it('writing an entry again neither adds one nor makes it younger [proxies 16]', async () => {
    const open = openTier(nextPath(), { maxEntries: 3 })
    for (const id of ['a', 'b', 'c', 'a', 'a']) await put(open, id)
    expect(evicted(open)).toEqual([])
    await put(open, 'd')
    expect(evicted(open)).toEqual(['a'])
  })

  it('what was cleared makes room first, and is not counted a second time', async () => {
    const open = openTier(nextPath(), { maxEntries: 4 })
    const { tier, clock } = open
    await put(open, 'kept')
    for (const id of ['x', 'y', 'z']) await tier.put(entryOf(clock, 'cleared', id, id))
    await tier.remove({ kind: 'name', name: 'cleared' })
    for (const id of ['a', 'b', 'c']) await put(open, id)
    expect(await ids(open)).toEqual(['a', 'b', 'c', 'kept'])
    expect(evicted(open)).toEqual([])
  })

  it('tags of what left do not stay behind', async () => {
    const open = openTier(nextPath(), { maxEntries: 2 })
    for (const id of ['a', 'b', 'c', 'd']) await put(open, id, id, { tags: [`t-${id}`] })
    expect(sql(open.path, 'SELECT tag FROM tags ORDER BY tag')).toEqual([{ tag: 't-c' }, { tag: 't-d' }])
  })
})

describe('limits', () => {
  it('hold after every write, whatever was done before, for entries and bytes, with the counts in the file exact', async () => {
    const operation = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), id: fc.nat(20), size: fc.nat(300) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('get' as const), id: fc.nat(20), size: fc.constant(0) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), id: fc.nat(20), size: fc.constant(0) }) },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constantFrom('mark' as const, 'clear' as const, 'sweep' as const),
          id: fc.nat(20),
          size: fc.constant(0),
        }),
      },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 60 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 200, max: 1_500 }),
        async (operations, maxEntries, maxBytes) => {
          const open = openTier(nextPath(), { maxEntries, maxBytes })
          const { tier, clock, path } = open
          for (const it of operations) {
            const key = { name: 'users', id: String(it.id) }
            if (it.do === 'put')
              await put(open, key.id, 'é'.repeat(it.size), it.id % 3 === 0 ? { keepUntil: clock.now() + 5 } : {})
            else if (it.do === 'get') await tier.get(key)
            else if (it.do === 'remove') await tier.remove({ kind: 'key', key })
            else if (it.do === 'mark') await tier.remove({ kind: 'key', key }, clock.now())
            else if (it.do === 'clear') await tier.remove({ kind: 'name', name: 'users' })
            else await clock.advance(5).then(() => tier.sweep(clock.now(), 3))
            const [row] = sql(
              path,
              'SELECT count(*) AS entries, coalesce(sum(octet_length(value)), 0) AS bytes FROM entries',
            )
            const { entries, bytes } = row as { entries: number; bytes: number }
            expect(entries).toBeLessThanOrEqual(maxEntries)
            expect(bytes).toBeLessThanOrEqual(maxBytes)
            expect(sql(path, 'SELECT entries, bytes FROM tally')).toEqual([{ entries, bytes }])
          }
          await tier.close()
        },
      ),
      { numRuns: 40 },
    )
  })

  it('a lowered limit shrinks the file with the next write [proxies 13]', async () => {
    const path = nextPath()
    const first = openTier(path)
    await Promise.all(Array.from({ length: 300 }, (_, i) => put(first, `k${i}`)))
    await first.tier.close()
    const second = openTier(path, { maxEntries: 10 })
    expect(await second.tier.count(ALL), 'opening removes nothing').toBe(300)
    await put(second, 'new')
    expect(await second.tier.count(ALL)).toBe(10)
    expect(await second.tier.get({ name: 'users', id: 'new' })).toBeDefined()
  })

  it('two processes with limits share one count [proxies 9]', async () => {
    const path = nextPath()
    const [one, two] = [openTier(path, { maxEntries: 5 }), openTier(path, { maxEntries: 5 })]
    for (let i = 0; i < 20; i++) await put(i % 2 === 0 ? one : two, `k${i}`)
    expect(await one.tier.count(ALL)).toBe(5)
    expect(evicted(one).length + evicted(two).length).toBe(15)
  })

  it('values in files count with their bytes', async () => {
    const open = openTier(nextPath(), { maxBytes: 250_000 })
    for (const id of ['a', 'b', 'c']) await put(open, id, id.repeat(100_000))
    expect(await ids(open)).toEqual(['b', 'c'])
  })

  it('an entry larger than all there is leaves at once', async () => {
    const open = openTier(nextPath(), { maxBytes: 100 })
    await put(open, 'large', 'x'.repeat(200))
    expect(await ids(open)).toEqual([])
    expect(evicted(open)).toEqual(['large'])
  })
})

describe('maxEntryBytes', () => {
  it.for([
    ['text', 'x'.repeat(999), 'x'.repeat(998)],
    ['text of wide characters', '日'.repeat(333), '日'.repeat(332)],
    ['bytes', Buffer.alloc(1_001), Buffer.alloc(900)],
  ] as const)('%s: larger values are skipped and told, what they were to replace is gone', async ([, large, small]) => {
    const open = openTier(nextPath(), { maxEntryBytes: 1_000 })
    await put(open, 'a', small)
    expect(await open.tier.get({ name: 'users', id: 'a' })).toBeDefined()
    expect(await put(open, 'a', large)).toBe(true)
    expect(await open.tier.get({ name: 'users', id: 'a' })).toBeUndefined()
    expect(open.reports).toMatchObject([{ kind: 'skipped', key: { name: 'users', id: 'a' }, why: 'too-large' }])
  })

  it('is what the tier declares', () => {
    expect(openTier(nextPath(), { maxEntryBytes: 1_000 }).tier.capabilities.maxEntryBytes).toBe(1_000)
  })
})
