// `version`: a value of a lower version never takes the place of one of a higher.

import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  createTidemark,
  isTidemarkError,
  memory,
  sqlite,
  ttl,
  untilInvalidated,
  type Resource,
  type Tidemark,
} from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { deferred, settled, subject } from '../contract/stacks.ts'
import { testFolder } from '../folder.ts'

interface Item {
  readonly version: number
  readonly text?: string
}

const folder = testFolder()

function itemsOf(tide: Tidemark, load: (id: string) => Item | Promise<Item>): Resource<string, Item> {
  return tide.resource<string, Item>({
    name: 'items',
    load,
    freshness: untilInvalidated(),
    version: (item) => item.version,
  })
}

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('version', () => {
  it('a set of an older one is refused with what is there; the same and a newer one are taken', async () => {
    const { tide } = subject({ tiers: [memory(), sqlite({ path: ':memory:' })], clock: new FakeClock() })
    const items = itemsOf(tide, () => ({ version: 0 }))
    await items.set('a', { version: 5 })
    const refused = await failureOf(items.set('a', { version: 2 }))
    expect(isTidemarkError(refused, 'older-version')).toBe(true)
    expect(refused).toMatchObject({ data: { name: 'items', key: 'a', version: 5 } })
    expect(await items.get('a')).toEqual({ version: 5 })
    await items.set('a', { version: 5, text: 'again' })
    await items.set('a', { version: 6 })
    expect(await items.get('a')).toEqual({ version: 6 })
    expect((await items.stats()).sets).toBe(3)
  })

  it('a load that brings an older one is its reader’s, and is stored nowhere', async () => {
    const { tide, clock } = subject({ tiers: [memory()], clock: new FakeClock() })
    let version = 5
    const items = tide.resource<string, Item>({
      name: 'items',
      load: () => ({ version }),
      freshness: ttl('1m'),
      staleIfError: '1h',
      version: (item) => item.version,
    })
    await items.get('a')
    version = 2 // a replica that lags behind
    await clock.advance('1m')
    expect(await items.get('a')).toEqual({ version: 2 })
    expect(await items.stored('a', { stale: true })).toEqual({ version: 5 })
    expect((await items.stats()).refused).toBe(1)
  })

  it('a value without a version takes any place, and gives way to anything: a row that was deleted, and made again', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const database: { row: Item | null } = { row: { version: 5 } }
    const items = tide.resource<string, Item | null>({
      name: 'items',
      strategy: 'source-first',
      load: () => database.row,
      freshness: ttl('1h'),
      version: (item) => item?.version ?? null,
    })
    await items.get('a')
    database.row = null
    await items.get('a')
    expect(await items.stored('a')).toBeNull()
    database.row = { version: 1 }
    await items.get('a')
    expect(await items.stored('a')).toEqual({ version: 1 })
  })

  it('with the row it is of, a version is compared within that row only: another one takes the place, loaded or set', async () => {
    const { tide } = subject({ tiers: [memory(), sqlite({ path: ':memory:' })], clock: new FakeClock() })
    const database = { row: { id: 'first', version: 5 } }
    const rows = tide.resource<string, { id: string; version: number }>({
      name: 'rows',
      strategy: 'source-first',
      load: () => database.row,
      freshness: ttl('1h'),
      version: ({ id, version }) => ({ of: id, version }),
    })
    await rows.get('a')
    database.row = { id: 'first', version: 3 } // a replica that lags behind
    await rows.get('a')
    expect(await rows.stored('a')).toEqual({ id: 'first', version: 5 })
    database.row = { id: 'second', version: 1 }
    await rows.get('a')
    expect(await rows.stored('a')).toEqual({ id: 'second', version: 1 })
    await rows.set('a', { id: 'second', version: 4 })
    expect(isTidemarkError(await failureOf(rows.set('a', { id: 'second', version: 3 })), 'older-version')).toBe(true)
    await rows.set('a', { id: 'third', version: 1 })
    expect(await rows.stored('a')).toEqual({ id: 'third', version: 1 })
  })

  it('a set during a load of an older one wins; a deleted one is forgotten', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const gate = deferred<undefined>()
    const items = itemsOf(tide, async () => {
      await gate.promise
      return { version: 1 }
    })
    const reading = items.get('a')
    await settled()
    await items.set('a', { version: 4 })
    gate.resolve(undefined)
    await reading
    expect(await items.get('a')).toEqual({ version: 4 })
    await items.delete('a')
    await items.set('a', { version: 1 })
    expect(await items.get('a')).toEqual({ version: 1 })
  })

  it('sets in any order and at the same time, in two caches over one file: the highest stays', async () => {
    let files = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: 1 }), fc.nat({ max: 9 })), { minLength: 1, maxLength: 12 }),
        async (sets) => {
          const path = join(folder, `${++files}.db`)
          const tides = [0, 1].map(() => createTidemark({ tiers: [memory(), sqlite({ path })], coherence: 'strict' }))
          const items = tides.map((tide) => itemsOf(tide, () => ({ version: -1 })))
          await Promise.allSettled(sets.map(([who, version]) => items[who]?.set('a', { version })))
          const highest = Math.max(...sets.map(([, version]) => version))
          for (const it of items) expect(await it.get('a')).toEqual({ version: highest })
          for (const tide of tides) await tide.close()
        },
      ),
      { numRuns: 25 },
    )
  })

  it('what is no number is refused', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const items = itemsOf(tide, () => ({ version: 1 }))
    await items.set('a', { version: 1 })
    expect(isTidemarkError(await failureOf(items.set('a', {} as Item)), 'invalid-option')).toBe(true)
    for (const [i, told] of ['1', Number.NaN, { version: 1 }, { of: 'a' }, { of: 7, version: 1 }].entries()) {
      const odd = tide.resource<string, Item>({
        name: `odd ${i}`,
        load: () => ({ version: 1 }),
        freshness: untilInvalidated(),
        version: () => told as never,
      })
      await odd.set('a', { version: 1 })
      expect(isTidemarkError(await failureOf(odd.set('a', { version: 1 })), 'invalid-option')).toBe(true)
    }
  })
})
