import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { listed } from '../../src/testing/tier-cases/case.ts'
import { OpenTier, lineFiles, linesOf, testPaths } from './tier.ts'

const nextPath = testPaths()
const ids = async ({ tier }: OpenTier): Promise<string[]> =>
  (await listed(tier, { kind: 'all' })).map((it) => it.slice('users/'.length))
const evicted = ({ reports }: OpenTier): string[] =>
  reports.flatMap((it) => (it.kind === 'evicted' && it.cause === 'size' ? [it.key?.id ?? '?'] : []))

describe('who leaves', () => {
  it('the oldest leaves first, in the same append that needs its place', async () => {
    const open = new OpenTier(nextPath(), { maxEntries: 3 })
    for (const id of ['a', 'b', 'c', 'd', 'e']) {
      await open.put(id, id)
      expect(await open.tier.count({ kind: 'all' })).toBeLessThanOrEqual(3)
    }
    expect(await ids(open)).toEqual(['c', 'd', 'e'])
    expect(evicted(open)).toEqual(['a', 'b'])
    expect(await ids(new OpenTier(open.path))).toEqual(['c', 'd', 'e'])
  })

  it('but one that was read since gets a second round, and only one', async () => {
    const open = new OpenTier(nextPath(), { maxEntries: 3 })
    for (const id of ['a', 'b', 'c']) await open.put(id, id)
    await open.get('a')
    await open.put('d', 'd')
    expect(await ids(open)).toEqual(['a', 'c', 'd'])
    await open.put('e', 'e')
    await open.put('f', 'f')
    expect(await ids(open)).toEqual(['d', 'e', 'f'])
    expect(evicted(open)).toEqual(['b', 'c', 'a'])
  })

  it('a read writes nothing [proxies 37]', async () => {
    const open = new OpenTier(nextPath(), { maxEntries: 3 })
    for (const id of ['a', 'b', 'c']) await open.put(id, id)
    const file = lineFiles(open.path)[0] as string
    const before = readFileSync(file)
    for (const id of ['a', 'b', 'nothing']) await open.get(id)
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it('writing an entry again neither adds one nor makes it younger', async () => {
    const open = new OpenTier(nextPath(), { maxEntries: 3 })
    for (const id of ['a', 'b', 'c', 'a', 'a']) await open.put(id, id)
    expect(evicted(open)).toEqual([])
    await open.put('d', 'd')
    expect(evicted(open)).toEqual(['a'])
  })

  it('what a load brings needs a place as well; what is refused needs none', async () => {
    const open = new OpenTier(nextPath(), { maxEntries: 2 })
    await open.put('a', 1)
    await open.add('b', 2)
    await open.add('c', 3)
    expect(await ids(open)).toEqual(['b', 'c'])
    const lease = await open.tier.lease()
    await open.tier.remove({ kind: 'name', name: 'other' })
    const entry = { ...(await open.tier.get({ name: 'users', id: 'c' }))!, key: { name: 'other', id: 'x' } }
    expect(await open.tier.put(entry, lease)).toBe(false)
    expect(await ids(open)).toEqual(['b', 'c'])
  })
})

describe('limits', () => {
  it('more in one turn than there is room for: the last ones stay', async () => {
    const open = new OpenTier(nextPath(), { maxEntries: 10 })
    await Promise.all(Array.from({ length: 100 }, (_, i) => open.put(i, i)))
    expect(await open.tier.count({ kind: 'all' })).toBe(10)
    expect(await open.get(99)).toBe(99)
    expect(evicted(open)).toHaveLength(90)
  })

  it('a limit that was lowered is kept from the next change on [proxies 13]', async () => {
    const path = nextPath()
    const wide = new OpenTier(path)
    await Promise.all(Array.from({ length: 100 }, (_, i) => wide.put(i, i)))
    await wide.tier.close()
    const narrow = new OpenTier(path, { maxEntries: 7 })
    await narrow.put('new', 1)
    expect(await narrow.tier.count({ kind: 'all' })).toBe(7)
    expect(await narrow.get('new')).toBe(1)
  })

  it('maxBytes counts encoded values, wherever they lie', async () => {
    const open = new OpenTier(nextPath(), { maxBytes: 150_000 })
    await open.put('large', Buffer.alloc(100_000))
    for (let i = 0; i < 40; i++) await open.put(i, 'x'.repeat(998))
    expect(await open.get('large')).toBeDefined()
    for (let i = 40; i < 60; i++) await open.put(i, 'x'.repeat(998))
    // It was read, so it has a second round; then it leaves, and there is room again.
    expect(await open.tier.count({ kind: 'all' })).toBeLessThanOrEqual(51)
    const sizes = linesOf(open.path).filter(({ op }) => op === 'set')
    expect(sizes.find(({ key }) => key === 'large')).toMatchObject({ format: 10, value: { file: expect.any(String) } })
  })

  it('a value that is too large is skipped and counted, and an older one does not stay in its place', async () => {
    const open = new OpenTier(nextPath(), { maxEntryBytes: 1_000 })
    await open.put('a', 'small')
    expect(await open.put('a', 'x'.repeat(2_000))).toBe(true)
    expect(await open.get('a')).toBeUndefined()
    expect(open.reports).toMatchObject([{ kind: 'skipped', why: 'too-large', key: { name: 'users', id: 'a' } }])
  })

  it('holds after every change, whatever the changes are', async () => {
    const change = fc.record({
      key: fc.nat(30),
      kind: fc.constantFrom('set', 'add', 'get', 'remove'),
      bytes: fc.nat(500),
    })
    const property = fc.asyncProperty(fc.array(change, { maxLength: 120 }), async (changes) => {
      const open = new OpenTier(nextPath(), { maxEntries: 8, maxBytes: 2_500 })
      for (const { key, kind, bytes } of changes) {
        if (kind === 'set') await open.put(key, 'x'.repeat(bytes))
        else if (kind === 'add') await open.add(key, 'x'.repeat(bytes))
        else if (kind === 'get') await open.get(key)
        else await open.tier.remove({ kind: 'key', key: { name: 'users', id: `[${key}]` } })
        let entries = 0
        let total = 0
        for await (const info of open.tier.keys({ kind: 'all' })) {
          entries++
          total += info.bytes ?? 0
        }
        expect(entries).toBeLessThanOrEqual(8)
        expect(total).toBeLessThanOrEqual(2_500)
      }
      await open.tier.close()
    })
    await fc.assert(property, { numRuns: 40, verbose: 1 })
  })
})
