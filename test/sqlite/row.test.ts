// What a damaged row comes to: a miss and a count, whichever column it is that changed.

import { describe, expect, it } from 'vitest'
import type { Entry } from 'tidemark'
import { entryOf } from '../../src/testing/tier-cases/case.ts'
import { openTier, sql, testPaths, until, type OpenTier } from './tier.ts'

const nextPath = testPaths()
const KEY = { name: 'users', id: 'a' }

async function stored(value: unknown, more: Partial<Entry> = {}): Promise<OpenTier> {
  const open = openTier(nextPath())
  const now = open.clock.now()
  const times = {
    freshUntil: now + 10_000,
    staleUntil: now + 20_000,
    errorUntil: now + 30_000,
    keepUntil: now + 40_000,
  }
  await open.tier.put(entryOf(open.clock, 'users', 'a', value, { ...times, scope: 's', tags: ['t'], ...more }))
  return open
}

describe('a row that changed behind our back', () => {
  const CHANGES = [
    ["value = replace(value, '1', '2')"],
    ["value = ''"],
    ['value = NULL'],
    ["value = x'7b7d'"],
    ['format = 0'],
    ['format = 2'],
    ['format = 3'],
    ['format = 9'],
    ['crc = crc + 1'],
    ['loaded_at = loaded_at + 1'],
    ['fresh_until = fresh_until + 4294967296'],
    ['stale_ms = stale_ms + 1'],
    ['error_ms = NULL'],
    ['keep_ms = keep_ms * 2'],
    ['stale_at = fresh_until - 1'],
    ["scope = 'S'"],
    ['scope = NULL'],
    ["extra = replace(extra, 't', 'u')"],
    ['extra = NULL'],
    ["extra = 'no json'"],
  ] as const

  it.for(CHANGES)('%s: a miss, reported once, and the row is gone', async ([change]) => {
    const { tier, reports, path } = await stored({ at: new Date(5), n: 1 })
    sql(path, `UPDATE entries SET ${change}`)
    expect(await tier.get(KEY)).toBeUndefined()
    expect(reports).toMatchObject([{ kind: 'corrupt', key: KEY }])
    await until(() => sql(path, 'SELECT id FROM entries').length === 0)
    expect(await tier.get(KEY)).toBeUndefined()
    expect(reports).toHaveLength(1)
  })

  it('an invalidation that changed is not taken back', async () => {
    for (const change of ['stale_at = stale_at + 1099511627776', 'stale_at = NULL', 'stale_at = stale_at - 1']) {
      const { tier, clock, reports, path } = await stored('v')
      await tier.remove({ kind: 'key', key: KEY }, clock.now())
      expect(await tier.get(KEY)).toMatchObject({ value: 'v', staleAt: clock.now() })
      sql(path, `UPDATE entries SET ${change}`)
      expect(await tier.get(KEY), change).toBeUndefined()
      expect(reports, change).toMatchObject([{ kind: 'corrupt' }])
    }
  })

  it('a key that became another one is not served under either', async () => {
    const { tier, path } = await stored('v')
    sql(path, "UPDATE entries SET key = 'b'")
    expect(await tier.get(KEY)).toBeUndefined()
    expect(await tier.get({ name: 'users', id: 'b' })).toBeUndefined()
  })
})

describe('invalidated rows', () => {
  it('marked several times, the earliest mark counts', async () => {
    const { tier, clock, reports } = await stored('v')
    const now = clock.now()
    for (const at of [now + 3, now + 1, now + 2]) await tier.remove({ kind: 'key', key: KEY }, at)
    expect(await tier.get(KEY)).toMatchObject({
      value: 'v',
      staleAt: now + 1,
      freshUntil: now + 1,
      keepUntil: now + 30_001,
    })
    expect(reports).toEqual([])
  })

  it('put as stale, it comes back as stale, with when that was', async () => {
    const { tier, clock } = openTier(nextPath())
    const now = clock.now()
    for (const value of ['small', 'x'.repeat(100_000)]) {
      const stale = entryOf(clock, 'users', 'a', value, {
        freshUntil: now,
        staleUntil: now + 5,
        errorUntil: now + 9,
        keepUntil: now + 9,
        staleAt: now,
      })
      await tier.put(stale)
      expect(await tier.get(KEY)).toMatchObject({ value, staleAt: now, freshUntil: now, staleUntil: now + 5 })
    }
  })

  it('loaded again, it is as fresh as any', async () => {
    const { tier, clock } = await stored('v')
    await tier.remove({ kind: 'key', key: KEY }, clock.now())
    await tier.put(entryOf(clock, 'users', 'a', 'again'))
    const found = await tier.get(KEY)
    expect(found?.value).toBe('again')
    expect(found?.staleAt).toBeUndefined()
  })
})

it('tells the size of the encoded value, in bytes', async () => {
  const { tier, clock } = openTier(nextPath())
  const sizes: number[] = []
  for (const value of ['abc', 'é日🌊', Buffer.alloc(70_000)]) {
    await tier.put(entryOf(clock, 'users', 'a', value))
    for await (const info of tier.keys({ kind: 'name', name: 'users' })) sizes.push(info.bytes as number)
  }
  expect(sizes.slice(0, 2)).toEqual([5, 11])
  expect(sizes[2]).toBeGreaterThan(70_000)
  expect(sizes[2]).toBeLessThan(70_100)
})
