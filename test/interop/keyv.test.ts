import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite'
import KeyvFive from 'keyv'
import { Keyv as KeyvSix, KeyvMemoryAdapter } from 'keyv6'
import { createTidemark, memory, sqlite, ttl, type Tidemark } from 'tidemark'
import { keyvStore } from 'tidemark/keyv'
import * as vitest from 'vitest'
import { afterAll, describe, expect, it } from 'vitest'

const open = (): Tidemark => createTidemark({ tiers: [memory(), sqlite({ path: ':memory:' })] })

describe('the published suite of Keyv', () => {
  const tide = open()
  const store = (): ReturnType<typeof keyvStore> => keyvStore(tide)
  afterAll(() => tide.close())
  keyvTestSuite(vitest, KeyvFive, store)
  keyvIteratorTests(vitest, KeyvFive, store)
})

describe.for([
  ['Keyv 5', KeyvFive, 5],
  ['Keyv 6, times to live', KeyvSix, 5],
  ['Keyv 6, absolute times', KeyvSix, 6],
] as const)('%s', ([, Keyv, contract]) => {
  const make = (): { tide: Tidemark; keyv: InstanceType<typeof KeyvFive> } => {
    const tide = open()
    const keyv = new (Keyv as typeof KeyvFive)({ store: keyvStore(tide, { contract }) })
    return { tide, keyv }
  }

  it('sets, gets, deletes, and says what was there', async () => {
    const { tide, keyv } = make()
    expect(await keyv.set('a', { n: 1 })).toBe(true)
    expect(await keyv.get('a')).toEqual({ n: 1 })
    expect(await keyv.has('a')).toBe(true)
    expect([await keyv.delete('a'), await keyv.delete('a'), await keyv.get('a')]).toEqual([true, false, undefined])
    await tide.close()
  })

  it('a time to live ends', async () => {
    const { tide, keyv } = make()
    await keyv.set('a', 1, 40)
    await keyv.set('b', 2)
    await keyv.set('c', 3, 600_000)
    await vitest.vi.waitUntil(async () => (await keyv.get('a')) === undefined, { timeout: 10_000 })
    expect([await keyv.get('b'), await keyv.get('c')]).toEqual([2, 3])
    await tide.close()
  })

  it('a time to live of 0 is none', async () => {
    const { tide, keyv } = make()
    await keyv.set('a', 1, 0)
    await keyv.setMany([{ key: 'b', value: 2, ttl: 0 }])
    expect([await keyv.get('a'), await keyv.get('b')]).toEqual([1, 2])
    await tide.close()
  })

  it('namespaces over one cache do not see or clear each other', async () => {
    const tide = open()
    const over = (namespace: string): InstanceType<typeof KeyvFive> =>
      new (Keyv as typeof KeyvFive)({ store: keyvStore(tide, { contract }), namespace })
    const [a, b] = [over('one'), over('two')]
    await a.set('k', 1)
    await b.set('k', 2)
    await a.clear()
    expect([await a.get('k'), await b.get('k')]).toEqual([undefined, 2])
    await tide.close()
  })
})

it('outlives its process in a persistent tier and takes many at once', async () => {
  const tide = open()
  const store = keyvStore(tide)
  await store.setMany([
    { key: 'a', value: 1 },
    { key: 'b', value: 2, ttl: 60_000 },
  ])
  expect(await store.getMany(['a', 'b', 'c'])).toEqual([1, 2, undefined])
  expect(await store.hasMany(['a', 'c'])).toEqual([true, false])
  expect(await store.deleteMany(['a', 'c'])).toBe(true)
  await tide.close()
})

it('Keyv 6, absolute times: a raw value that has expired, at 0 or since, is not there, as in a store of its own', async () => {
  const tide = open()
  for (const store of [keyvStore(tide, { contract: 6 }), new KeyvMemoryAdapter(new Map())]) {
    const keyv = new KeyvSix({ store })
    for (const [key, expires] of [
      ['first', 0],
      ['past', Date.now() - 1],
      ['later', Date.now() + 60_000],
      ['never', undefined],
    ] as const) {
      await keyv.setRaw(key, { value: key, ...(expires === undefined ? undefined : { expires }) })
    }
    const keys = ['first', 'past', 'later', 'never']
    expect(await keyv.hasMany(keys)).toEqual([false, false, true, true])
    expect(await keyv.getMany(keys)).toEqual([undefined, undefined, 'later', 'never'])
  }
  await tide.close()
})

it.for([5, 6] as const)('contract %i: an item of setMany says itself which time it has', async (contract) => {
  const tide = open()
  const store = keyvStore(tide, { contract })
  await store.setMany([
    { key: 'lives', value: 1, ttl: 60_000 },
    { key: 'expires', value: 2, expires: Date.now() + 60_000 },
    { key: 'ever', value: 3, ttl: 0 },
    { key: 'gone', value: 4, expires: Date.now() - 1 },
  ])
  expect(await store.getMany(['lives', 'expires', 'ever', 'gone'])).toEqual([1, 2, 3, undefined])
  await tide.close()
})

it('options that do not fit are refused', () => {
  const tide = open()
  expect(() => keyvStore(tide, { contract: 4 as never })).toThrow(expect.objectContaining({ code: 'invalid-option' }))
  expect(() => keyvStore(tide, { nme: 'x' } as never)).toThrow(expect.objectContaining({ code: 'unknown-option' }))
  tide.resource({ name: 'users', load: () => 1, freshness: ttl('1m') })
  expect(() => keyvStore(tide, { name: 'users' })).toThrow(expect.objectContaining({ code: 'name-taken' }))
})
