// What is exported comes back as it was, or says that it is not whole.

import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it } from 'vitest'
import {
  createTidemark,
  immutable,
  jsonl,
  memory,
  sqlite,
  untilInvalidated,
  type Resource,
  type Tidemark,
} from 'tidemark'
import { keyring } from 'tidemark/seal'
import { FakeClock, chaos } from 'tidemark/testing'
import { VALUES } from '../../src/testing/tier-cases/values.ts'
import { exported, fresh, newFile, newTiers, ring, second } from './exported.ts'
import { listOf, pool, proxyOf } from './stacks.ts'

describe('an export', () => {
  it('of every kind of value, with every time and group, comes back as it was [proxies 6]', async () => {
    const clock = new FakeClock()
    const make = (
      keys = ring,
    ): { tide: Tidemark; things: Resource<string, unknown>; era: Resource<string, unknown> } => {
      const tide = createTidemark({ tiers: newTiers(), keyring: keys, clock })
      const options = { load: (key: string): unknown => VALUES[key]?.() ?? null, scope: (key: string) => `of ${key}` }
      const things = tide.resource<string, unknown>({
        ...options,
        name: 'things',
        freshness: untilInvalidated(),
        tags: (key) => [key, 'all'],
        keep: '1d',
        secrets: true,
      })
      const era = tide.resource<string, unknown>({
        ...options,
        name: 'life',
        era: tide.era('device'),
        freshness: immutable({ identity: () => ['w1', undefined, 7] }),
        staleIfError: '1h',
        keep: '2d',
      })
      return { tide, things, era }
    }
    const from = make()
    for (const kind of Object.keys(VALUES)) {
      await from.things.get(kind)
      await clock.advance(1)
      await from.era.get(kind)
    }
    await from.tide.invalidateTag('a Map')
    const to = make()
    expect(await to.tide.import(from.tide.export())).toMatchObject({ failed: 0, skipped: 0, isComplete: true })
    for (const [kind, value] of Object.entries(VALUES)) {
      expect(await to.things.stored(kind, { stale: kind === 'a Map' }), kind).toEqual(value())
      expect(await to.era.stored(kind), kind).toEqual(value())
      const [was, is] = [await from.era.explain(kind), await to.era.explain(kind)]
      expect(is.tiers[1], kind).toEqual(was.tiers[1])
    }
    // The same thing at the same key is no conflict, another one is: identities came along.
    expect(await to.tide.scope('of null').clear()).toEqual({ life: 1, things: 1 })
    await from.tide.close()
    await to.tide.close()
  })

  it('of a collection brings its head along: nothing is loaded again', async () => {
    const clock = new FakeClock()
    const make = (): {
      tide: Tidemark
      list: (unit: string) => Promise<{ id: number; token: string }[]>
      loads: number[]
    } => {
      const tide = createTidemark({ tiers: newTiers(), keyring: ring, clock })
      const loads: number[] = []
      const events = tide.collection({
        name: 'events',
        probe: (_unit: string) => ({ count: 3 }),
        load: (_unit, { from, to }) => {
          loads.push(from)
          return Array.from({ length: to - from }, (_, i) => ({ id: from + i, token: `token-${from + i}` }))
        },
        identity: ({ id }) => [id],
        secrets: ['token'],
      })
      return { tide, list: (unit) => events.list(unit), loads }
    }
    const [from, to] = [make(), make()]
    const items = await from.list('u')
    const lines = await listOf(from.tide.export({ name: 'events' }))
    expect(lines.join('')).not.toContain('token-')
    expect(await to.tide.import(lines)).toMatchObject({ imported: 4, failed: 0 })
    expect(await to.list('u')).toEqual(items)
    expect(to.loads).toEqual([])
    await from.tide.close()
    await to.tide.close()
  })

  it('goes through files, holds no secret, and says what it is and how much of it there is', async () => {
    const { from, clock } = await exported()
    const path = newFile()
    await pipeline(from.tide.export(), createWriteStream(path, { mode: 0o600 }))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const written = readFileSync(path, 'utf8')
    expect(written).not.toMatch(/password-|user-[abc]/)
    const lines = written
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines[0]).toMatchObject({
      tidemark: 'export',
      version: 1,
      keyIds: [ring.keys[0]?.id],
      exportedAt: clock.now(),
    })
    expect(lines[1]?.['value']).toMatchObject({ $sealed: [['username'], ['password']] })
    expect(lines.at(-1)).toMatchObject({ end: true, entries: 3, left: 0 })
    const to = fresh(clock)
    expect(await to.tide.import(createReadStream(path, { highWaterMark: 7 }))).toMatchObject({
      imported: 3,
      isComplete: true,
    })
    expect(await to.proxies.stored('b')).toEqual(proxyOf('b'))
    // The other way round, through a web stream.
    const again = fresh(clock)
    expect(await again.tide.import(Readable.toWeb(Readable.from(to.tide.export())))).toMatchObject({ imported: 3 })
  })

  it('is of one name, if that is said; what does not open is left out and counted', async () => {
    const { from, clock } = await exported()
    const more = from.tide.resource({ name: 'proxies2', load: () => 1, freshness: untilInvalidated() })
    await more.get('x')
    expect(await listOf(from.tide.export({ name: 'proxies2' }))).toHaveLength(3)
    expect(await listOf(from.tide.export({ name: 'none' }))).toHaveLength(2)
    expect(() => from.tide.export({ name: 7 as never })).toThrow(expect.objectContaining({ code: 'invalid-option' }))
    const path = newFile()
    await pool({ tiers: [sqlite({ path })], keyring: ring, clock }).proxies.get('a')
    const wrong = pool({ tiers: [sqlite({ path })], keyring: keyring({ active: 'b', keys: { b: second } }), clock })
    expect((await listOf(wrong.tide.export())).at(-1)).toContain('"entries":0,"left":1')
  })

  // A tier beside another persistent one is looked after in another way than one alone.
  it.for([0, 1])('that cannot read a tier to its end fails, and does not look whole (%i more)', async (more) => {
    const { clock } = await exported()
    const broken = chaos(sqlite({ path: newFile() }))
    const others = Array.from({ length: more }, () => jsonl({ path: newFile() }))
    const { tide, proxies } = pool({ tiers: [memory({ maxEntries: 1 }), broken, ...others], keyring: ring, clock })
    for (const key of ['a', 'b', 'c']) await proxies.get(key)
    broken.fail('keys', { times: 1 })
    const lines: string[] = []
    const read = async (): Promise<void> => {
      for await (const line of tide.export()) lines.push(line)
    }
    await expect(read()).rejects.toMatchObject({ code: 'tier-unavailable' })
    expect((await fresh(clock).tide.import(lines)).isComplete).toBe(false)
    await proxies.get('b')
    expect(await listOf(tide.export())).toHaveLength(5)
  })

  it('reads past memory without pushing anything out of it', async () => {
    const path = newFile()
    const { tide, proxies } = pool({
      tiers: [memory({ maxEntries: 2 }), sqlite({ path })],
      keyring: ring,
      clock: new FakeClock(),
    })
    for (let i = 0; i < 20; i++) await proxies.get(`k${i}`)
    const inMemory = (): string[] => Array.from({ length: 20 }, (_, i) => `k${i}`).filter((key) => proxies.peek(key))
    const before = inMemory()
    expect(await listOf(tide.export())).toHaveLength(22)
    expect(inMemory()).toEqual(before)
  })
})
