// Stores of Keyv as tiers: what each of them has to do, what lies in them, and what they do when they fail.

import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { KeyvMemoryAdapter } from 'keyv6'
import { createTidemark, memory, sqlite, ttl, type Tier, type TierReport } from 'tidemark'
import { keyvStore, keyvTier, type KeyvStorage, type KeyvTierOptions } from 'tidemark/keyv'
import { keyring } from 'tidemark/seal'
import { FakeClock, testTier } from 'tidemark/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { entryOf, valueOf } from '../../src/testing/tier-cases/case.ts'
import { testFolder } from '../folder.ts'
import { SqlStore } from './sql-store.ts'

const MB = 1024 * 1024
const KEY = { name: 'users', id: 'a' }
const folder = testFolder()
let files = 0
const nextPath = (): string => join(folder, `${files++}.db`)
const sqlStore = (path = nextPath(), contract: 5 | 6 = 5): SqlStore => {
  const store = new SqlStore(path, contract)
  onTestFinished(() => store.disconnect())
  return store
}

/** Records as the first version wrote them. */
const RELEASED: readonly (readonly [string, string])[] = [
  [
    'tidemark:T2CSOisogcyuIenAi8y9CzJBxcfY2uupJJD-uDtGkj8',
    'tide1.2713b864.1.184.{"n":"users","k":"a","t":[1900000000000,8640000000000000,8640000000000000,8640000000000000,8640000000000000],"w":"ebb767b30","b":38,"s":"s","e":"e","g":["t"],"i":["w",null,3],"r":"r1"}{"$":"m","v":[["at",{"$":"d","v":5}]]}',
  ],
  [
    'tidemark:i7lErC4L2jFNvXDw89Y3UpDg9cH-GZPen0EXcgSylBs',
    'tide1.26609be0.3.137.{"n":"users","k":"packed","t":[1900000000000,8640000000000000,8640000000000000,8640000000000000,8640000000000000],"w":"114ded3f0","b":30}AgD2AQAAKLUv/WD2AHUAADgidGlkZSAiAQDsUEsR',
  ],
  [
    'tidemark:7wLKflYtP41omIzsV2U6jmiiz3OsWDhOmFulD_vF030',
    'tide1.400e17b5.2.137.{"n":"users","k":"binary","t":[1900000000000,8640000000000000,8640000000000000,8640000000000000,8640000000000000],"w":"76d4f6430","b":56}LgAAAHsiJCI6ImIiLCJraW5kIjoiSW50MTZBcnJheSIsImF0IjowLCJieXRlcyI6Nn0BAP7/LAE=',
  ],
]

/** A tier with everything it reported. */
interface Open {
  readonly tier: Tier
  readonly clock: FakeClock
  readonly reports: TierReport[]
}

function open(store: KeyvStorage, options: KeyvTierOptions = {}, clock: FakeClock = new FakeClock()): Open {
  const tier = keyvTier(store, options)
  const reports: TierReport[] = []
  tier.attach?.({ clock, report: (news) => reports.push(news) })
  onTestFinished(() => tier.close())
  return { tier, clock, reports }
}

const maxEntryBytes = 128 * MB
testTier('keyv over a Map', () => keyvTier(new Map(), { persistent: false, maxEntryBytes }), { test: it })
testTier('keyv over a Map, compressed', () => keyvTier(new Map(), { compress: 'zstd', compressAboveBytes: 0 }), {
  test: it,
  maxValueBytes: 4 * MB,
})
testTier('keyv over the adapter of Keyv 6', () => keyvTier(new KeyvMemoryAdapter(new Map()), { maxEntryBytes }), {
  test: it,
  maxValueBytes: 4 * MB,
})
for (const contract of [5, 6] as const) {
  testTier(`keyv over SQL, contract ${contract}`, () => keyvTier(sqlStore(nextPath(), contract)), {
    test: it,
    maxValueBytes: 4 * MB,
  })
  testTier(
    `keyv over another cache, contract ${contract}`,
    () => {
      const tide = createTidemark({ tiers: [memory(), sqlite({ path: ':memory:' })] })
      onTestFinished(() => tide.close())
      return keyvTier(keyvStore(tide, { contract }))
    },
    { test: it, maxValueBytes: 4 * MB },
  )
}

describe('what lies in the store', () => {
  it('is found again after a restart, with everything that was said about it, marks and removals included', async () => {
    const path = nextPath()
    const first = open(sqlStore(path))
    const { clock } = first
    const now = clock.now()
    const times = {
      freshUntil: now + 10_000,
      staleUntil: now + 20_000,
      errorUntil: now + 30_000,
      keepUntil: now + 40_000,
    }
    const more = { scope: 's', era: 'e', tags: ['t'], identity: ['w', null, 3], revision: 'r1', ...times }
    await first.tier.put(entryOf(clock, 'users', 'a', { at: new Date(5) }, more))
    await first.tier.put(entryOf(clock, 'users', 'marked', 1, { tags: ['m'], ...times }))
    await first.tier.put(entryOf(clock, 'users', 'gone', 1, { tags: ['g'], ...times }))
    await clock.advance(1_000)
    expect(await first.tier.remove({ kind: 'tag', tag: 'm' }, clock.now())).toBe(1)
    expect(await first.tier.remove({ kind: 'tag', tag: 'g' })).toBe(1)
    await first.tier.close()

    const { tier, reports } = open(sqlStore(path), {}, clock)
    expect(await tier.get(KEY)).toMatchObject({ value: { at: new Date(5) }, loadedAt: now, ...more })
    const marked = { staleAt: now + 1_000, freshUntil: now + 1_000, staleUntil: now + 11_000, keepUntil: now + 31_000 }
    expect(await tier.get({ name: 'users', id: 'marked' })).toMatchObject(marked)
    expect(await valueOf(tier, 'users', 'gone')).toBeUndefined()
    expect(await tier.count({ kind: 'all' })).toBe(2)
    expect(await tier.remove({ kind: 'era', era: 'e', scope: 's' })).toBe(1)
    expect(await tier.get(KEY)).toBeUndefined()
    expect(reports).toEqual([])
  })

  it('has keys every store takes, and no secret of the application in them', async () => {
    const map = new Map<string, string>()
    const { tier, clock } = open(map, { persistent: false, prefix: 'app' })
    for (const id of ['', 'é\0\n', 'x'.repeat(10_000), '../..']) await tier.put(entryOf(clock, 'a:b', id, 1))
    expect(map.size).toBe(4)
    for (const key of map.keys()) expect(key).toMatch(/^app:[\w-]{43}$/)
  })

  it('other prefixes, namespaces and strangers in the same store are left alone', async () => {
    const store = sqlStore()
    await store.set('stranger', 'not a record')
    await store.set('tidemark:stranger', '{"value":1}')
    const [one, two] = [open(store), open(store, { prefix: 'other' })]
    await one.tier.put(entryOf(one.clock, 'users', 'a', 1))
    await two.tier.put(entryOf(two.clock, 'users', 'a', 2))
    await one.tier.close()
    await two.tier.close()
    const again = open(store, { prefix: 'other' })
    expect(await again.tier.count({ kind: 'all' })).toBe(1)
    expect(await again.tier.remove({ kind: 'all' })).toBe(1)
    const left = open(store)
    expect(await valueOf(left.tier, 'users', 'a')).toBe(1)
    expect(store.keys()).toEqual(expect.arrayContaining(['stranger', 'tidemark:stranger']))
    expect(left.reports).toEqual([])
  })

  it('a store with a namespace of its own is listed as it lists itself', async () => {
    const map = new Map()
    const adapter = (): KeyvMemoryAdapter => new KeyvMemoryAdapter(map, { namespace: 'ns' })
    const first = open(adapter())
    await first.tier.put(entryOf(first.clock, 'users', 'a', 'kept'))
    await first.tier.close()
    expect([...map.keys()][0]).toMatch(/^ns:+tidemark:/)
    expect(await valueOf(open(adapter()).tier, 'users', 'a')).toBe('kept')
  })

  it('leaves the store by its own time to live, in the words of each contract', async () => {
    const times: (readonly [number, number | undefined])[] = []
    for (const capabilities of [undefined, { expires: true }]) {
      const map = new Map<string, string>()
      const store: KeyvStorage = {
        get: (key) => map.get(key),
        set: (key, value, time) => {
          times.push([capabilities ? 6 : 5, time])
          return map.set(key, value)
        },
        delete: (key) => map.delete(key),
        capabilities,
      }
      const { tier, clock } = open(store, { persistent: false })
      await tier.put(entryOf(clock, 'users', 'a', 1, { keepUntil: clock.now() + 5_000 }))
      await tier.put(entryOf(clock, 'users', 'b', 1))
    }
    const inFiveSeconds = expect.closeTo(Date.now() + 5_000, -4) as number
    expect(times).toEqual([
      [5, 5_000],
      [5, undefined],
      [6, inFiveSeconds],
      [6, undefined],
    ])
  })

  it('a value that cannot be stored is refused before another tier has it', async () => {
    const { tier, clock } = open(sqlStore())
    expect(() => tier.put(entryOf(clock, 'users', 'a', { f: () => 1 }))).toThrow(
      expect.objectContaining({ code: 'invalid-value' }),
    )
    await using tide = createTidemark({ tiers: [memory(), keyvTier(sqlStore())] })
    const users = tide.resource<string, unknown>({ name: 'users', load: () => 1, freshness: ttl('1h') })
    await expect(users.set('a', { f: () => 1 })).rejects.toMatchObject({ code: 'invalid-value' })
    expect(users.peek('a')).toBeUndefined()
  })

  it('an entry the store let go of is a miss', async () => {
    const map = new Map<string, string>()
    const { tier, clock, reports } = open(map, { persistent: false })
    await tier.put(entryOf(clock, 'users', 'a', 1))
    map.clear()
    expect(await tier.get(KEY)).toBeUndefined()
    await tier.put(entryOf(clock, 'users', 'a', 2))
    expect(await valueOf(tier, 'users', 'a')).toBe(2)
    expect(reports).toEqual([])
  })

  it('bit-flip: any changed character is a miss and a count, and what is damaged is removed', async () => {
    const map = new Map<string, string>()
    const { tier, clock, reports } = open(map, { persistent: false })
    const put = async (): Promise<[string, string]> => {
      await tier.put(entryOf(clock, 'users', 'a', { n: 1, text: 'tide' }, { scope: 's', tags: ['t'] }))
      return [...map][0] as [string, string]
    }
    const [, sample] = await put()
    for (let at = 0; at < sample.length; at++) {
      const [key, text] = await put()
      map.set(key, text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1))
      expect(await tier.get(KEY), `character ${at}`).toBeUndefined()
    }
    expect(reports).toHaveLength(sample.length)
    expect(reports.every((it) => it.kind === 'corrupt')).toBe(true)
  })

  it('a forged record whose value is undefined is damaged: a miss and a count, never an entry without a value', async () => {
    const map = new Map<string, string>()
    const { tier, clock, reports } = open(map, { persistent: false })
    await tier.put(entryOf(clock, 'users', 'a', { $: 'the user’s own' }))
    const [key, text] = [...map][0] as [string, string]
    const rest = text.slice(text.indexOf('.', 'tide1.'.length) + 1)
    const forged = `${rest.slice(0, rest.lastIndexOf('{"$":"o"'))}{"$":"u"}`
    map.set(key, `tide1.${crc32(forged).toString(16).padStart(8, '0')}.${forged}`)
    expect(await tier.get(KEY)).toBeUndefined()
    expect(reports).toMatchObject([
      { kind: 'corrupt', key: KEY, message: expect.stringContaining('undefined') as string },
    ])
    expect(await tier.count({ kind: 'all' })).toBe(0)
    await tier.put(entryOf(clock, 'users', 'a', 'whole'))
    expect(await valueOf(tier, 'users', 'a')).toBe('whole')
  })

  it('skewed-versions: a record of this version is read for ever', async () => {
    const store = sqlStore()
    for (const [key, text] of RELEASED) await store.set(key, text)
    const clock = new FakeClock()
    const { tier, reports } = open(store, {}, clock)
    expect(await tier.get(KEY)).toMatchObject({
      value: new Map([['at', new Date(5)]]),
      loadedAt: 1_900_000_000_000,
      scope: 's',
      era: 'e',
      tags: ['t'],
      identity: ['w', null, 3],
      revision: 'r1',
    })
    expect(await valueOf(tier, 'users', 'packed')).toBe('tide '.repeat(100))
    expect(await valueOf(tier, 'users', 'binary')).toEqual(new Int16Array([1, -2, 300]))
    expect(reports).toEqual([])
  })

  it('skewed-versions: one of a newer version is a miss and a count, and is left alone', async () => {
    const store = sqlStore()
    const { tier, clock, reports } = open(store)
    await tier.put(entryOf(clock, 'users', 'a', 1))
    const [key] = store.keys() as [string]
    await store.set(key, (store.raw(key) as string).replace('tide1.', 'tide2.'))
    expect(await tier.get(KEY)).toBeUndefined()
    expect(reports).toMatchObject([{ kind: 'corrupt', key: KEY }])
    const again = open(store)
    expect(await again.tier.count({ kind: 'all' })).toBe(0)
    expect(again.reports).toMatchObject([{ kind: 'corrupt' }])
    expect(store.raw(key)).toMatch(/^tide2/)
  })
})

describe('limits', () => {
  it('the oldest entries leave first, but one that was read since gets a second round', async () => {
    const store = sqlStore()
    const { tier, clock, reports } = open(store, { maxEntries: 3 })
    for (const id of ['a', 'b', 'c']) await tier.put(entryOf(clock, 'users', id, id))
    await tier.get(KEY)
    await tier.put(entryOf(clock, 'users', 'd', 'd'))
    expect(await valueOf(tier, 'users', 'b')).toBeUndefined()
    expect(await valueOf(tier, 'users', 'a')).toBe('a')
    expect(reports).toMatchObject([{ kind: 'evicted', cause: 'size', count: 1, key: { id: 'b' } }])
    await tier.close()
    expect(store.keys()).toHaveLength(3)
  })

  it('maxBytes counts what is stored, maxEntryBytes one value; a larger one leaves no older one', async () => {
    const store = sqlStore()
    const { tier, clock, reports } = open(store, { maxBytes: 1_000, maxEntryBytes: 600 })
    await tier.put(entryOf(clock, 'users', 'a', 'x'.repeat(500)))
    await tier.put(entryOf(clock, 'users', 'b', 'x'.repeat(500)))
    expect(await tier.get(KEY)).toBeUndefined()
    await Promise.all([
      tier.put(entryOf(clock, 'users', 'b', 'x'.repeat(599))),
      tier.put(entryOf(clock, 'users', 'c', 'later')),
    ])
    expect(await valueOf(tier, 'users', 'b')).toBeUndefined()
    expect(await valueOf(tier, 'users', 'c')).toBe('later')
    expect(reports).toMatchObject([{ kind: 'evicted' }, { kind: 'skipped', why: 'too-large', key: { id: 'b' } }])
    await tier.close()
    expect(store.keys()).toHaveLength(1)
  })
})

describe('a store in trouble', () => {
  it.for(['throws', 'answers false'] as const)(
    '%s: a write that failed leaves no older value to be read',
    async (trouble) => {
      const store = sqlStore()
      const { tier, clock } = open(store)
      await tier.put(entryOf(clock, 'users', 'a', 'old'))
      store.trouble = trouble
      await expect(tier.put(entryOf(clock, 'users', 'a', 'new'))).rejects.toMatchObject({ code: 'tier-unavailable' })
      store.recover()
      expect(await tier.get(KEY)).toBeUndefined()
      expect(await tier.remove({ kind: 'key', key: KEY })).toBe(1)
      expect(store.keys(), 'it is known that something may lie there').toEqual([])
    },
  )

  it.for(['throws', 'answers false'] as const)(
    '%s: what was removed meanwhile is gone at once, and later for good',
    async (trouble) => {
      const path = nextPath()
      const store = sqlStore(path)
      const { tier, clock } = open(store)
      for (const id of ['a', 'b']) await tier.put(entryOf(clock, 'users', id, 'old', { tags: ['t'] }))
      store.trouble = trouble
      await expect(tier.remove({ kind: 'tag', tag: 't' })).rejects.toMatchObject({ code: 'tier-unavailable' })
      store.recover()
      expect(await tier.get(KEY)).toBeUndefined()
      expect(store.keys()).toHaveLength(2)
      // The journal of the guard repeats what was missed; a sweep does as well.
      expect(await tier.remove({ kind: 'tag', tag: 't' })).toBe(0)
      expect(store.keys()).toEqual([])
      await tier.put(entryOf(clock, 'users', 'a', 'new'))
      store.trouble = trouble
      await expect(tier.remove({ kind: 'all' })).rejects.toMatchObject({ code: 'tier-unavailable' })
      store.recover()
      expect(await tier.sweep(clock.now(), 100)).toBe(0)
      expect(store.keys()).toEqual([])
    },
  )

  it('a mark that failed holds at once, and is written when it is asked for again', async () => {
    const path = nextPath()
    const store = sqlStore(path)
    const { tier, clock } = open(store)
    const times = { freshUntil: clock.now() + 1_000, keepUntil: clock.now() + 9_000, staleUntil: clock.now() + 9_000 }
    await tier.put(entryOf(clock, 'users', 'a', 'v', { ...times, errorUntil: clock.now() + 9_000 }))
    store.trouble = 'throws'
    const at = clock.now()
    await expect(tier.remove({ kind: 'name', name: 'users' }, at)).rejects.toMatchObject({ code: 'tier-unavailable' })
    store.recover()
    expect(await tier.get(KEY)).toMatchObject({ value: 'v', staleAt: at })
    expect(await tier.remove({ kind: 'name', name: 'users' }, at)).toBe(0)
    await tier.close()
    expect(await open(sqlStore(path), {}, clock).tier.get(KEY)).toMatchObject({ value: 'v', staleAt: at })
  })

  it('one that cannot be listed at first is listed by a later operation', async () => {
    const path = nextPath()
    const first = open(sqlStore(path))
    await first.tier.put(entryOf(first.clock, 'users', 'a', 'kept'))
    await first.tier.close()
    const store = sqlStore(path)
    store.trouble = 'throws'
    const { tier } = open(store)
    await expect(tier.get(KEY)).rejects.toMatchObject({ code: 'tier-unavailable' })
    await expect(tier.remove({ kind: 'all' })).rejects.toMatchObject({ code: 'tier-unavailable' })
    store.recover()
    expect(await valueOf(tier, 'users', 'a')).toBe('kept')
  })

  it('what hangs holds up its own key, in order, and no other', async () => {
    const store = sqlStore()
    const { tier, clock } = open(store)
    await tier.put(entryOf(clock, 'users', 'b', 'b'))
    store.trouble = 'hangs'
    const sets = [1, 2, 3].map((n) => tier.put(entryOf(clock, 'users', 'a', n)))
    await new Promise((resolve) => setImmediate(resolve))
    store.trouble = 'none'
    expect(await valueOf(tier, 'users', 'b')).toBe('b')
    store.recover()
    await Promise.all(sets)
    expect(await valueOf(tier, 'users', 'a')).toBe(3)
  })

  it('its error events are told, and do not end the process', async () => {
    const store = sqlStore()
    const { tier, reports } = open(store)
    store.emit('error', new Error('connection lost'))
    expect(reports).toMatchObject([{ kind: 'failed', operation: 'connection', error: { code: 'tier-unavailable' } }])
    await tier.close()
    expect(store.listenerCount('error'), 'nothing is left of it').toBe(0)
  })

  it('behind a guard: reads go on from the tier above, changes are repeated when it is back', async () => {
    const store = sqlStore()
    const clock = new FakeClock()
    await using tide = createTidemark({ tiers: [memory(), { tier: keyvTier(store), budget: '10s' }], clock })
    const users = tide.resource({ name: 'users', load: (id: string) => id, freshness: ttl('1h'), staleIfError: '1h' })
    await users.set('a', 'old')
    await users.set('b', 'old')
    store.trouble = 'throws'
    await users.set('a', 'new')
    await users.delete('b')
    expect(await users.get('a')).toBe('new')
    store.recover()
    for (let i = 0; i < 100 && (await tide.tiers())[1]?.state !== 'up'; i++) await clock.advance(1_000)
    expect((await tide.tiers())[1]).toMatchObject({ tier: 'keyv', state: 'up', journal: { items: 0 } })
    const { tier } = open(store, {}, clock)
    expect([await valueOf(tier, 'users', 'a'), await valueOf(tier, 'users', 'b')]).toEqual(['new', undefined])
  })
})

describe('what it declares', () => {
  it('it is nobody else’s: no feed, no claims, not shared', () => {
    const { tier } = open(sqlStore())
    expect(tier.capabilities).toEqual({ persistent: true, shared: false, sync: false, maxEntryBytes: 8 * MB })
    expect([tier.feed, tier.claims]).toEqual([undefined, undefined])
    expect(keyvTier(new Map(), { persistent: false, compress: 'gzip' }).capabilities).toMatchObject({
      persistent: false,
      compression: { algorithm: 'gzip' },
    })
  })

  it('secrets are sealed in it, unless it is said to lie in memory', async () => {
    const keys = keyring({ active: 'a', keys: { a: new Uint8Array(32).fill(7) } })
    for (const persistent of [true, false]) {
      const map = new Map<string, string>()
      await using tide = createTidemark({ tiers: [memory(), keyvTier(map, { persistent })], keyring: keys })
      const load = (): { password: string } => ({ password: 'hunter2' })
      const vault = tide.resource({ name: 'vault', load, secrets: ['password'], freshness: ttl('1h') })
      expect(await vault.get('x')).toEqual({ password: 'hunter2' })
      expect([...map.values()].join('').includes('hunter2')).toBe(!persistent)
    }
  })

  it('refuses what is no store, one that cannot tell what lies in it, and options it does not have', () => {
    const bare: KeyvStorage = { get: () => undefined, set: () => true, delete: () => true }
    for (const [store, options, option] of [
      [undefined, {}, 'keyvTier.store'],
      [{ get: () => 1 }, {}, 'keyvTier.store'],
      [bare, {}, 'keyvTier.store'],
      [new Map(), { prefix: '' }, 'keyvTier.prefix'],
      [new Map(), { prefix: 'a:b' }, 'keyvTier.prefix'],
      [new Map(), { persistent: 'yes' }, 'keyvTier.persistent'],
      [new Map(), { maxEntries: 0 }, 'keyvTier.maxEntries'],
      [new Map(), { maxBytes: 1.5 }, 'keyvTier.maxBytes'],
      [new Map(), { maxEntryBytes: '1' }, 'keyvTier.maxEntryBytes'],
      [new Map(), { compress: 'lz4' }, 'keyvTier.compress'],
    ] as const) {
      expect(() => keyvTier(store as never, options as never), option).toThrow(
        expect.objectContaining({ code: 'invalid-option', data: expect.objectContaining({ option }) as unknown }),
      )
    }
    expect(() => keyvTier(new Map(), { namespace: 'x' } as never)).toThrow(
      expect.objectContaining({ code: 'unknown-option' }),
    )
    expect(keyvTier(bare, { persistent: false }).name).toBe('keyv')
  })
})
