// What is sealed stays sealed, and opens where it came to lie.

import { describe, expect, it, onTestFinished } from 'vitest'
import { memory, migrate, createTidemark, ttl, type MigrateOptions, type MigrateReport, type Tier } from 'tidemark'
import { keyring } from 'tidemark/seal'
import { FakeClock } from 'tidemark/testing'
import { contents, newPlace, tierKinds, type Kind } from './kinds.ts'

const kinds = (await tierKinds()).filter(({ kind }) => kind !== 'memory')
const pairs = kinds.flatMap((from) => kinds.map((to) => ({ from, to, name: `${from.kind} to ${to.kind}` })))
const key = (byte: string): Buffer => Buffer.alloc(32, byte)
const ring = keyring({ active: 'now', keys: { now: key('n'), before: key('b') } })
const before = keyring({ active: 'before', keys: { before: key('b') } })
const others = keyring({ active: 'other', keys: { other: key('o') } })
const clock = new FakeClock()
const proxy = (i: number) => ({ url: `http://10.0.0.${i}`, password: `hush-${i}`, nested: { token: 7n } })

/** A cache of proxies over one tier. */
async function withCache<T>(
  tier: Tier,
  keys: typeof ring,
  work: (cache: ReturnType<typeof open>) => T,
): Promise<Awaited<T>> {
  const cache = open(tier, keys)
  try {
    return await work(cache)
  } finally {
    await cache.tide.close()
  }
}

function open(tier: Tier, keys: typeof ring) {
  const tide = createTidemark({ tiers: [{ tier, budget: '10s' }], keyring: keys, clock })
  const load = (): ReturnType<typeof proxy> => proxy(0)
  const proxies = tide.resource({ name: 'proxies', load, freshness: ttl('1h'), secrets: ['password', 'nested'] })
  const plain = tide.resource<string, string>({ name: 'plain', load: () => '', freshness: ttl('1h') })
  return { tide, proxies, plain }
}

async function run(
  from: readonly [Kind, number],
  to: readonly [Kind, number],
  more: Partial<MigrateOptions>,
): Promise<MigrateReport> {
  const [source, target] = [from[0].open(from[1]), to[0].open(to[1])]
  try {
    return await migrate({ from: source, to: target, clock, ...more })
  } finally {
    await source.close()
    await target.close()
  }
}

async function filled(kind: Kind, keys = before): Promise<number> {
  const place = newPlace()
  await withCache(kind.open(place), keys, async ({ proxies, plain }) => {
    for (let i = 0; i < 5; i++) await proxies.set(`${i}`, proxy(i))
    await plain.set('x', 'open')
  })
  return place
}

describe.for(pairs)('$name', ({ from, to }) => {
  it('with the keys, everything opens there, and nothing lies there in the clear', async () => {
    const [here, there] = [await filled(from), newPlace()]
    const report = await run([from, here], [to, there], { keyring: ring })
    expect(report).toMatchObject({ copied: 6, unopened: 0, damaged: 0, problems: [] })
    const stored = JSON.stringify(await contents(to, there, clock), (_, it_: unknown) =>
      typeof it_ === 'bigint' ? `${it_}n` : it_,
    )
    expect(stored).not.toContain('hush')
    await withCache(to.open(there), ring, async ({ proxies, plain }) => {
      for (let i = 0; i < 5; i++) expect(await proxies.stored(`${i}`)).toEqual(proxy(i))
      expect(await plain.stored('x')).toBe('open')
    })
    expect(await run([from, here], [to, there], { keyring: ring })).toMatchObject({ copied: 0, older: 6 })
  })

  it('without the keys, or with others, what would not open there stays where it is', async () => {
    const here = await filled(from)
    const isSame = from.kind === to.kind
    for (const keys of [undefined, others]) {
      const there = newPlace()
      const report = await run([from, here], [to, there], { keyring: keys })
      // Between two of a kind it is copied as it lies, and opens there for whoever has the key.
      expect(report).toMatchObject(isSame ? { copied: 6, unopened: 0 } : { copied: 1, unopened: 5 })
      expect(report.problems.map(({ outcome }) => outcome)).toEqual(isSame ? [] : Array(5).fill('unopened'))
      await withCache(to.open(there), before, async ({ proxies }) =>
        expect(await proxies.stored('3')).toEqual(isSame ? proxy(3) : undefined),
      )
    }
  })
})

describe.for(kinds)('memory and $kind', (kind) => {
  it('what lies in memory in the clear is sealed on its way out, and refused while nobody says what is secret', async () => {
    const from = memory()
    onTestFinished(() => from.close())
    from.attach?.({ clock, report: () => {} })
    const until = clock.now() + 60_000
    const times = { loadedAt: clock.now(), freshUntil: until, staleUntil: until, errorUntil: until, keepUntil: until }
    await from.put({ key: { name: 'proxies', id: '1' }, value: proxy(1), ...times })
    const there = newPlace()
    const to = kind.open(there)
    await expect(migrate({ from, to, clock, keyring: ring })).rejects.toThrow('migrate.secrets')
    const secrets = { proxies: ['password', 'nested'] }
    await expect(migrate({ from, to, clock, secrets })).rejects.toMatchObject({ code: 'keyring-required' })
    expect(await migrate({ from, to, clock, secrets, keyring: ring })).toMatchObject({ copied: 1 })
    await to.close()
    await withCache(kind.open(there), ring, async ({ proxies }) => expect(await proxies.stored('1')).toEqual(proxy(1)))
  })

  it('what is sealed is opened on its way into memory, with the keys', async () => {
    const here = await filled(kind)
    for (const [keys, copied] of [
      [ring, 6],
      [undefined, 1],
    ] as const) {
      const [from, to] = [kind.open(here), memory()]
      const report = await migrate({ from, to, clock, keyring: keys })
      expect(report).toMatchObject({ copied, unopened: 6 - copied })
      if (keys) expect((await to.get({ name: 'proxies', id: '2' }))?.value).toEqual(proxy(2))
      await from.close()
    }
  })

  it('what was changed, or belongs to another key, is damaged and is left', async () => {
    const here = await filled(kind)
    const tier = kind.open(here)
    tier.attach?.({ clock, report: () => {} })
    const moved = await tier.get({ name: 'proxies', id: '1' })
    if (moved) await tier.put({ ...moved, key: { name: 'proxies', id: '2' } })
    const report = await migrate({ from: tier, to: memory(), clock, keyring: ring })
    expect(report).toMatchObject({ copied: 5, damaged: 1 })
    expect(report.problems).toMatchObject([{ key: { id: '2' }, outcome: 'damaged' }])
    await tier.close()
  })
})
