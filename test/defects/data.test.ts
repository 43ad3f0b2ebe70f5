// What the tiers of the old pool lost, mixed up or brought back; see lines.ts.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createTidemark, jsonl, memory, sqlite, ttl, untilInvalidated, type Tier } from 'tidemark'
import { keyring } from 'tidemark/seal'
import { FakeClock, chaos, type ChaosTier } from 'tidemark/testing'
import { testFolder } from '../folder.ts'
import { attached, entryOf, keysOf, open, settled, threeTiers } from './rig.ts'

const folder = testFolder()
const tiersAt = threeTiers()
let places = 0

describe('a tier that fails', () => {
  it('a read that failed does not cost the other rows of its file [proxies 1]', async () => {
    const path = join(folder, 'failed-read')
    const broken = chaos(jsonl({ path }))
    const { users, tide } = open([memory({ maxEntries: 1 }), broken])
    for (const id of ['a', 'b', 'c', 'd', 'e']) await users.set(id, id)
    broken.fail('get', { times: 1 })
    expect(await users.stored('a')).toBeUndefined()
    await users.set('f', 'f')
    await tide.close()
    const again = open([jsonl({ path })])
    expect(await again.users.getMany(['a', 'b', 'c', 'd', 'e', 'f'])).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  it('a read that failed once is found the next time, and after a restart [proxies 2]', async () => {
    const path = join(folder, 'found-again')
    const broken = chaos(jsonl({ path }))
    const { users, tide } = open([broken])
    await users.set('a', 'a')
    broken.fail('get', { times: 1 })
    expect([await users.stored('a'), await users.stored('a')]).toEqual([undefined, 'a'])
    await tide.close()
    expect(await open([jsonl({ path })]).users.stored('a')).toBe('a')
  })

  it('a delete that failed in a file holds after a restart [proxies 2]', async () => {
    const place = places++
    const [first, file, last] = tiersAt(place)
    const broken = chaos(file)
    const { users, tide } = open([first, broken, last])
    await users.set('a', 'old')
    broken.fail('remove')
    await users.delete('a')
    await tide.close()
    const [front, other, below] = tiersAt(place)
    expect((await attached(other, new FakeClock()).get({ name: 'users', id: 'a' }))?.value, 'still there').toBe('old')
    await other.close()
    // Another process opens all three.
    const { users: again, clock } = open([front, chaos(tiersAt(place)[1]), below])
    await clock.advance('1m')
    expect(await again.stored('a')).toBeUndefined()
  })

  it.for(['put', 'hang'] as const)(
    'the old value is never served, although only the last of three tiers has the new one (%s) [proxies 3]',
    async (how) => {
      const [, , last] = tiersAt(places++)
      const broken = chaos(memory())
      const { users, clock } = open([memory({ maxEntries: 10 }), { tier: broken, budget: '30ms' }, last])
      await users.set('a', 'old')
      if (how === 'put') broken.fail('put', { times: 1 })
      else broken.hang('put', { times: 1 })
      await users.set('a', 'new')
      for (let i = 0; i < 50; i++) await users.set(`other ${i}`, 'x')
      expect(await users.get('a')).toBe('new')
      broken.heal()
      await clock.advance('1m')
      for (let i = 50; i < 100; i++) await users.set(`other ${i}`, 'x')
      expect(await users.get('a')).toBe('new')
    },
  )
})

describe('what leaves while a tier is out of use', () => {
  const down = (broken: ChaosTier): void => {
    for (const operation of ['get', 'lease', 'put', 'remove', 'count', 'keys'] as const) broken.fail(operation)
  }

  it('does not come back with it, however it left: deleted, cleared, given up by its health [proxies 4]', async () => {
    const below = memory()
    const broken = chaos(below)
    const clock = new FakeClock()
    const tide = createTidemark({ tiers: [memory(), broken], clock })
    const make = (name: string) =>
      tide.resource({
        name,
        load: async (_key: string): Promise<string> => 'LOADED',
        freshness: ttl('1h'),
        health: { check: () => ({ ok: true }) },
      })
    const [deleted, cleared, unhealthy] = [make('deleted'), make('cleared'), make('unhealthy')]
    for (const resource of [deleted, cleared, unhealthy]) await resource.set('a', 'old')
    await clock.advance('1s')
    down(broken)
    for (let i = 0; i < 4; i++) await deleted.stored(`missing ${i}`)
    expect((await tide.tiers())[1]?.state).toBe('open')
    await deleted.delete('a')
    await cleared.clear()
    for (let i = 0; i < 3; i++) await unhealthy.health.reportFailure('a')
    for (const name of ['deleted', 'cleared', 'unhealthy'])
      expect((await below.get({ name, id: 'a' }))?.value, 'still there').toBe('old')
    broken.heal()
    await clock.advance('1m')
    expect((await tide.tiers())[1]?.state).toBe('up')
    for (const resource of [deleted, cleared, unhealthy]) expect(await resource.stored('a')).toBeUndefined()
    await tide.close()
  })
})

describe('what is known of a value', () => {
  const proxiesOver = (tiers: readonly Tier[], clock: FakeClock, keys?: ReturnType<typeof keyring>) => {
    const tide = createTidemark({ tiers, clock, keyring: keys })
    const proxies = tide.resource<string, { url: string; password: string }>({
      name: 'proxies',
      load: async () => ({ url: '', password: '' }),
      freshness: untilInvalidated(),
      ...(keys ? { secrets: ['password'] } : undefined),
      health: { check: () => ({ ok: false, error: 'refused' }) },
    })
    return { tide, proxies }
  }

  it('its health is the same in every tier, whichever answers, and is not overwritten by a poorer copy [proxies 5]', async () => {
    const place = places++
    const clock = new FakeClock()
    const first = proxiesOver(tiersAt(place), clock)
    await first.proxies.set('a', { url: 'http://a', password: 'p' })
    await clock.advance('6m')
    const record = first.proxies.health.record('a')
    expect(record?.checks).toBeGreaterThan(0)
    await first.tide.close()
    // Only L2 answers, memory has room for one entry: everything that is read is evicted again.
    const second = proxiesOver(tiersAt(place, 1), clock)
    await second.proxies.health.ready
    expect(second.proxies.health.record('a')).toEqual(record)
    for (let i = 0; i < 5; i++) {
      await second.proxies.stored('a')
      await second.proxies.health.history('a')
    }
    await second.tide.close()
    for (const tier of tiersAt(place).slice(1)) {
      const stored = await attached(tier, clock).get({ name: 'proxies#health', id: 'a' })
      expect(stored?.value, tier.name).toEqual(record)
    }
  })

  it('an export and an import keep the password, the times and the history [proxies 6]', async () => {
    const clock = new FakeClock()
    const keys = keyring({ active: 'a', keys: { a: Buffer.alloc(32, 'k') } })
    const from = proxiesOver(tiersAt(places++), clock, keys)
    await from.proxies.set('a', { url: 'http://a', password: 'hush' })
    await clock.advance('6m')
    const lines: string[] = []
    for await (const line of from.tide.export()) lines.push(line)
    expect(lines.join('')).not.toContain('hush')
    const to = proxiesOver(tiersAt(places++), clock, keys)
    expect(await to.tide.import(lines)).toMatchObject({ failed: 0, isComplete: true })
    expect(await to.proxies.stored('a')).toEqual({ url: 'http://a', password: 'hush' })
    expect(await to.proxies.health.history('a')).toEqual(await from.proxies.health.history('a'))
    const [was, is] = [await from.proxies.explain('a'), await to.proxies.explain('a')]
    expect(is.tiers.map(({ tier, loadedAt }) => [tier, loadedAt])).toEqual(
      was.tiers.map(({ tier, loadedAt }) => [tier, loadedAt]),
    )
    await Promise.all([from.tide.close(), to.tide.close()])
  })

  it('a value that is set again keeps its history [proxies 16]', async () => {
    const clock = new FakeClock()
    const { tide, proxies } = proxiesOver(tiersAt(places++), clock)
    await proxies.set('a', { url: 'http://a', password: 'p' })
    await clock.advance('6m')
    const before = await proxies.health.history('a')
    expect(before.length).toBeGreaterThan(0)
    await proxies.set('a', { url: 'http://a', password: 'q' })
    await settled()
    expect(await proxies.health.history('a')).toEqual(before)
    await tide.close()
  })
})

describe('between the tiers', () => {
  it('eviction from memory writes nothing to the tiers below, expired or not [proxies 14]', async () => {
    const below = chaos(memory())
    const { users, clock, events } = open([memory({ maxEntries: 1 }), below], new FakeClock(), { freshness: ttl('1s') })
    await users.set('a', 'a')
    await clock.advance('2s')
    await users.set('b', 'b')
    await users.set('c', 'c')
    await settled()
    expect(events.filter(({ type }) => type === 'evicted')).not.toEqual([])
    const puts = below.calls.filter(({ operation }) => operation === 'put').map(({ key }) => key)
    expect(puts).toEqual(['a', 'b', 'c'])
  })

  it('an entry that came back to memory is there again, and nothing says that it was evicted [proxies 18]', async () => {
    const { users, events } = open([memory({ maxEntries: 1 }), memory({ maxEntries: 10 })])
    await users.set('a', 'a')
    await users.set('b', 'b')
    expect(events).toContainEqual(expect.objectContaining({ type: 'evicted', key: 'a', cause: 'size' }))
    expect((await users.explain('a')).tiers.map(({ state }) => state)).toEqual(['absent', 'fresh'])
    await users.get('a')
    expect((await users.explain('a')).tiers.map(({ state }) => state)).toEqual(['fresh', 'fresh'])
  })

  it('every tier finds an entry under the key it was set under, whatever key its value names [proxies 33]', async () => {
    const tiers = tiersAt(places++)
    const clock = new FakeClock()
    const { users } = open(tiers, clock)
    await users.set('a', JSON.stringify({ key: 'b' }))
    for (const tier of tiers) {
      expect((await tier.get({ name: 'users', id: 'a' }))?.value, tier.name).toBe('{"key":"b"}')
      expect(await tier.get({ name: 'users', id: 'b' }), tier.name).toBeUndefined()
    }
  })

  it('no set, read, delete or report of a failure lists the keys of a tier [proxies 34]', async () => {
    let lists = 0
    const counting = (tier: Tier): Tier => {
      const keys = tier.keys.bind(tier)
      tier.keys = (selector) => {
        lists++
        return keys(selector)
      }
      return tier
    }
    const health = { check: () => ({ ok: true }) }
    const { users, clock } = open([memory(), counting(sqlite({ path: ':memory:' }))], new FakeClock(), { health })
    await users.set('first', 'x')
    await clock.advance('1s')
    lists = 0
    for (let i = 0; i < 100; i++) await users.set(`${i}`, 'x')
    for (let i = 0; i < 3; i++) await users.health.reportFailure('first')
    await users.delete('5')
    expect([await users.stored('first'), await users.stored('5'), await users.stored('6')]).toEqual([
      undefined,
      undefined,
      'x',
    ])
    expect(lists).toBe(0)
  })

  it.for(['memory', 'jsonl', 'sqlite'] as const)(
    'at the moment an entry ends it is gone from reads, lists, counts and sweeps of %s alike [proxies 30, 31]',
    async (kind) => {
      const clock = new FakeClock()
      const tier = attached(tiersAt(places++).find(({ name }) => name === kind) as Tier, clock)
      const end = clock.now() + 1_000
      const times = { freshUntil: end, staleUntil: end, errorUntil: end, keepUntil: end }
      await tier.put(entryOf(clock, 'a', 'a', times))
      await clock.advance(999)
      expect([(await tier.get({ name: 'users', id: 'a' }))?.value, await tier.count({ kind: 'all' })]).toEqual(['a', 1])
      expect(await tier.sweep(clock.now(), 10)).toBe(0)
      await clock.advance(1)
      expect([await tier.get({ name: 'users', id: 'a' }), await tier.count({ kind: 'all' })]).toEqual([undefined, 0])
      expect(await keysOf(tier)).toEqual([])
      expect(await tier.sweep(clock.now(), 10)).toBe(1)
    },
  )
})
