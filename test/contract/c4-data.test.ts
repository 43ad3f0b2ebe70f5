// C4: data. Every value and every key survives every tier; nobody can poison a shared value; clears clear exactly.

import { describe, expect, it } from 'vitest'
import { isTidemarkError, memory, ttl, untilInvalidated, type KeyInput } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { AWKWARD_KEYS } from '../../src/testing/tier-cases/keys.ts'
import { VALUES } from '../../src/testing/tier-cases/values.ts'
import { eachStack, settled, subject } from './stacks.ts'

eachStack(({ isPersistent, lasting, make, again }) => {
  it('every-value-everywhere: each value comes back the same from a load, a set, each tier and after a restart', async () => {
    const first = make()
    const options = {
      name: 'values',
      load: (kind: string): unknown => VALUES[kind]?.() ?? null,
      freshness: untilInvalidated(),
    } as const
    const values = first.tide.resource(options)
    for (const [kind, value] of Object.entries(VALUES)) {
      expect(await values.get(kind), kind).toEqual(value())
      await values.set(`set ${kind}`, value())
      expect(await values.get(`set ${kind}`), kind).toEqual(value())
    }
    if (!isPersistent) return
    await first.tide.close()
    const reopened = again().tide.resource(options)
    for (const [kind, value] of Object.entries(VALUES)) {
      const reading = await reopened.read(`set ${kind}`)
      expect(reading, kind).toMatchObject({ tier: lasting, reason: 'hit' })
      expect(reading.value, kind).toEqual(value())
      expect(Object.is(reading.value, -0), kind).toBe(kind === 'minus zero')
      expect(Buffer.isBuffer(reading.value), kind).toBe(Buffer.isBuffer(value()))
    }
  })

  it('every-value-everywhere: what cannot be stored is refused by set, and a load still answers with it', async () => {
    const { tide } = make()
    const odd = new (class Point {
      x = 1
    })()
    const values = tide.resource<string, unknown>({ name: 'values', load: (_key: string) => odd, freshness: ttl('1h') })
    const refused = async (value: unknown): Promise<unknown> => values.set('a', value).catch((error: unknown) => error)
    expect(isTidemarkError(await refused(undefined), 'invalid-value')).toBe(true)
    if (!isPersistent) return
    await values.set('a', 'before')
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    for (const value of [
      odd,
      () => 1,
      Symbol('s'),
      { deep: [{ f: () => 1 }] },
      circular,
      new URL('http://x'),
      new SharedArrayBuffer(1),
    ]) {
      expect(isTidemarkError(await refused(value), 'invalid-value')).toBe(true)
    }
    expect(await values.get('a'), 'nothing was lost').toBe('before')
    expect(await values.get('b')).toBe(odd)
    const others = (await tide.tiers()).filter(({ tier }) => tier !== 'memory')
    expect((await values.stats()).skipped, 'by each tier that had to encode it').toBe(others.length)
  })

  it('every-key: awkward keys are kept apart, also after a restart', async () => {
    const first = make()
    const options = { name: 'keys', load: (_key: KeyInput): number => -1, freshness: untilInvalidated() } as const
    const keys = first.tide.resource(options)
    await Promise.all(AWKWARD_KEYS.map((key, i) => keys.set(key, i)))
    for (const [i, key] of AWKWARD_KEYS.entries()) expect(await keys.get(key), `key ${i}`).toBe(i)
    if (!isPersistent) return
    await first.tide.close()
    const reopened = again().tide.resource(options)
    for (const [i, key] of AWKWARD_KEYS.entries()) expect(await reopened.get(key), `key ${i}`).toBe(i)
  })

  it('every-key: what is no key is a clear error', async () => {
    const { tide } = make()
    const keys = tide.resource({
      name: 'keys',
      load: (_key: unknown) => 1,
      key: (key) => key as KeyInput,
      freshness: ttl('1h'),
    })
    for (const key of [
      undefined,
      null,
      {},
      Number.NaN,
      Number.POSITIVE_INFINITY,
      ['a', undefined],
      [['nested']],
      1n,
      Symbol('s'),
    ]) {
      const error: unknown = await Promise.resolve()
        .then(() => keys.get(key))
        .catch((it: unknown) => it)
      expect(isTidemarkError(error, 'invalid-key')).toBe(true)
    }
  })

  it('clear-clears-exactly: empty names, %, _, and prefixes of siblings', async () => {
    const { tide } = make()
    const names = ['', 'users', 'users2', 'user', '%', '_', 'users:', 'USERS']
    const resources = names.map((name) =>
      tide.resource({
        name,
        load: (_key: string) => name,
        scope: () => name,
        tags: () => [name],
        freshness: ttl('1h'),
      }),
    )
    const left = async (): Promise<string[]> => {
      const found: string[] = []
      for (const resource of resources) for await (const { name } of resource.entries()) found.push(name)
      return found
    }
    const fill = async (): Promise<void> => {
      for (const resource of resources) await resource.get('a')
    }
    for (const [i, name] of names.entries()) {
      await fill()
      expect(await resources[i]?.clear(), `clear ${name}`).toBe(1)
      expect(await left()).toEqual(names.filter((it) => it !== name))
      await fill()
      expect(await tide.scope(name).clear(), `scope ${name}`).toEqual({ [name]: 1 })
      expect(await left()).toEqual(names.filter((it) => it !== name))
      await fill()
      expect(await tide.deleteTag(name), `tag ${name}`).toBe(1)
      expect(await left()).toEqual(names.filter((it) => it !== name))
    }
  })
})

describe('mutation-cannot-poison', () => {
  const load = (_key: string): { list: number[]; at: Date; map: Map<string, number>; bytes: Buffer } => ({
    list: [1, 2],
    at: new Date(5),
    map: new Map([['a', 1]]),
    bytes: Buffer.from([1]),
  })

  eachStack(({ lasting, make }) => {
    it('freeze: plain values throw on mutation', async () => {
      const { tide } = make({ freeze: true })
      const users = tide.resource({
        name: 'plain',
        load: (_key: string) => ({ tags: ['a'], deep: { n: 1 } }),
        freshness: ttl('1h'),
      })
      for (let i = 0; i < 3; i++) {
        const { value, tier } = await users.read('a')
        const mutate = (): unknown => [value.tags.push('b'), (value.deep.n = 2)]
        // Without memory in front every reader gets a value of its own.
        if (tier === lasting && users.peek('a') === undefined) mutate()
        else expect(mutate).toThrow(TypeError)
        expect(await users.get('a')).toEqual({ tags: ['a'], deep: { n: 1 } })
      }
    })

    it.for(['freeze', 'clone'] as const)('%s: what cannot be frozen is handed out as a copy', async (mode) => {
      const { tide } = make(mode === 'clone' ? { isolate: 'clone' } : { freeze: true })
      const users = tide.resource({ name: 'mixed', load, freshness: ttl('1h') })
      for (let i = 0; i < 4; i++) {
        const value = i === 3 ? await users.get('a', { refresh: true }) : await users.get('a')
        expect(value).toEqual(load('a'))
        value.at.setTime(99)
        value.map.set('b', 2)
        value.bytes[0] = 99
        if (mode === 'clone') value.list.push(3)
      }
      expect(await users.get('a')).toEqual(load('a'))
    })

    it('clone: a value that was set is a copy of its own', async () => {
      const { tide } = make({ isolate: 'clone' })
      const users = tide.resource<string, { n: number }>({
        name: 'users',
        load: () => ({ n: 0 }),
        freshness: ttl('1h'),
      })
      const mine = { n: 1 }
      await users.set('a', mine)
      mine.n = 2
      await settled()
      expect(await users.get('a')).toEqual({ n: 1 })
    })
  })

  it('items of a collection are protected as well', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock(), freeze: true })
    const events = tide.collection({
      name: 'events',
      probe: (_unit: string) => ({ count: 1 }),
      load: () => [{ peaks: [1] }],
    })
    for (let i = 0; i < 2; i++) {
      const [event] = await events.list('u')
      expect(() => event?.peaks.push(2)).toThrow(TypeError)
    }
  })
})
