// C3: tiers that fail. A failing tier costs its budget, keeps nothing old, and comes back by itself.

import { describe, expect, it, vi } from 'vitest'
import { memory, ttl, type Tier, type TidemarkEvent } from 'tidemark'
import { FakeClock, chaos, type ChaosTier } from 'tidemark/testing'
import { settled, subject, type Subject } from './stacks.ts'

const states = (events: readonly TidemarkEvent[]): string[] =>
  events.flatMap((e) => (e.type === 'tier-state' ? [e.state] : []))

function overChaos(): Subject & { broken: ChaosTier; below: Tier } {
  const below = memory()
  const broken = chaos(below)
  return {
    ...subject({ tiers: [memory({ maxEntries: 100 }), { tier: broken, budget: '30ms' }], clock: new FakeClock() }),
    broken,
    below,
  }
}

const loadsOf = (tide: Subject['tide']) =>
  tide.resource({
    name: 'users',
    load: vi.fn<(key: string) => Promise<string>>(async (key) => `loaded ${key}`),
    freshness: ttl('1h'),
  })

it('read-error-is-not-empty: a failed or timed-out read is never taken for "no data" by a write that follows [proxies 1]', async () => {
  for (const trouble of ['fail', 'hang'] as const) {
    const { tide, broken, below } = overChaos()
    const users = loadsOf(tide)
    for (const key of ['a', 'b', 'c']) await users.set(key, `set ${key}`)
    broken[trouble]('get', { times: 2 })
    await tide.scope('nothing').clear()
    await users.set('d', 'set d')
    await users.get('e')
    broken.heal()
    await settled()
    for (const key of ['a', 'b', 'c', 'd']) {
      expect((await below.get({ name: 'users', id: key }))?.value, `${trouble} ${key}`).toBe(`set ${key}`)
    }
  }
})

describe('failed-write-leaves-no-old-value', () => {
  it.for(['fail', 'hang'] as const)(
    'when a write to one tier %ss, its older copy cannot be read later [proxies 3]',
    async (trouble) => {
      const { tide, broken, clock } = overChaos()
      const users = loadsOf(tide)
      await users.set('a', 'old')
      broken[trouble]('put', { times: 1 })
      await users.set('a', 'new')
      // Push it out of memory, so that only the lower tier is left to answer.
      for (let i = 0; i < 300; i++) await users.set(`other ${i}`, 'x')
      expect(await users.get('a')).not.toBe('old')
      broken.heal()
      await clock.advance('1m')
      for (let i = 300; i < 600; i++) await users.set(`other ${i}`, 'x')
      expect(await users.get('a')).toBe('new')
    },
  )

  it('the same for a value that was loaded', async () => {
    const { tide, broken } = overChaos()
    const users = loadsOf(tide)
    await users.set('a', 'old')
    broken.fail('put', { times: 1 })
    expect(await users.get('a', { refresh: true })).toBe('loaded a')
    for (let i = 0; i < 300; i++) await users.set(`other ${i}`, 'x')
    expect(await users.get('a')).toBe('loaded a')
  })

  it('a removal that fails in one tier is done there later, and until then the entry is not read [proxies 4]', async () => {
    const { tide, broken, below, clock } = overChaos()
    const users = loadsOf(tide)
    await users.set('a', 'old')
    broken.fail('remove', { times: 1 })
    await users.delete('a')
    expect(await users.get('a')).toBe('loaded a')
    await users.set('b', 'old')
    broken.fail('remove')
    await users.delete('b')
    expect((await below.get({ name: 'users', id: 'b' }))?.value, 'still there').toBe('old')
    expect(await users.get('b')).toBe('loaded b')
    broken.heal()
    await clock.advance('1m')
    expect((await below.get({ name: 'users', id: 'b' }))?.value).not.toBe('old')
  })
})

it('hung-tier-bounded: a tier that never answers costs a reader its budget once, then nothing', async () => {
  const { tide, broken, events } = overChaos()
  const users = loadsOf(tide)
  for (const operation of ['get', 'lease', 'put', 'remove'] as const) broken.hang(operation)
  const times: number[] = []
  for (let i = 0; i < 20; i++) {
    const startedAt = performance.now()
    const before = broken.calls.length
    expect(await users.get(String(i))).toBe(`loaded ${i}`)
    times.push(performance.now() - startedAt)
    // Each call is one budget of 30 ms; what is replayed meanwhile, nobody waits for.
    const waited = broken.calls.slice(before).filter(({ operation }) => operation !== 'remove')
    expect(waited.length, `calls of read ${i}`).toBeLessThanOrEqual(1)
  }
  // Room for a busy machine.
  expect(Math.max(...times)).toBeLessThan(1_000)
  // The median: one read may always meet a machine that was busy.
  expect(times.slice(4).toSorted((a, b) => a - b)[8]).toBeLessThan(30)
  expect(states(events)).toContain('open')
  const [, status] = await tide.tiers()
  expect(status).toMatchObject({ state: 'open' })
  expect(status?.nextProbeAt).toBeGreaterThan(0)
  broken.heal()
})

it('every-tier-recovers: three errors, then health: the tier comes back by probe, without traffic [proxies 24, 27]', async () => {
  const { tide, broken, clock, events } = overChaos()
  const users = loadsOf(tide)
  await users.set('kept', 'value')
  broken.fail('get')
  for (let i = 0; i < 3; i++) await users.get(String(i))
  expect((await tide.tiers())[1]?.state).toBe('open')
  await clock.advance('5s')
  expect((await tide.tiers())[1]?.state, 'probes fail as well').toBe('open')
  broken.heal()
  await clock.advance('1m')
  expect((await tide.tiers())[1]?.state).toBe('up')
  expect(states(events)).toEqual(['suspect', 'open', 'recovering', 'up'])
})

it('outage-journal-replay: what was set and deleted while a tier was down holds after it is back [proxies 4]', async () => {
  const { tide, broken, below, clock } = overChaos()
  const users = loadsOf(tide)
  for (const key of ['deleted', 'changed', 'scoped', 'untouched']) await users.set(key, 'old')
  for (const operation of ['get', 'lease', 'put', 'remove'] as const) broken.fail(operation)
  for (let i = 0; i < 4; i++) await users.get(String(i))
  expect((await tide.tiers())[1]?.state).toBe('open')
  await users.delete('deleted')
  await users.set('changed', 'new')
  await users.set('added', 'new')
  expect((await tide.tiers())[1]?.journal.items).toBeGreaterThanOrEqual(3)
  broken.heal()
  await clock.advance('1m')
  expect((await tide.tiers())[1]).toMatchObject({ state: 'up', journal: { items: 0 } })
  const stored = async (id: string): Promise<unknown> => (await below.get({ name: 'users', id }))?.value
  expect(await stored('deleted')).toBeUndefined()
  expect(await stored('changed')).toBe('new')
  expect(await stored('added')).toBe('new')
  expect(await stored('untouched')).toBe('old')
})

it('outage-journal-replay: a journal that overflows empties the tier as a whole', async () => {
  const { tide, broken, below, clock } = overChaos()
  const users = loadsOf(tide)
  await users.set('old', 'old')
  for (const operation of ['get', 'lease', 'put', 'remove'] as const) broken.fail(operation)
  for (let i = 0; i < 4; i++) await users.get(String(i))
  for (let i = 0; i < 10_100; i++) await users.delete(`k${i}`)
  expect((await tide.tiers())[1]?.journal).toMatchObject({ items: 0, overflowed: true })
  broken.heal()
  await clock.advance('1m')
  expect((await tide.tiers())[1]).toMatchObject({ state: 'up', journal: { overflowed: false } })
  expect(await below.count({ kind: 'all' })).toBe(0)
})

it('config-off-stays-off: a tier disabled by configuration is never read, written or brought back [proxies 25]', async () => {
  const off = chaos(memory())
  const { tide, clock } = subject({ tiers: [memory(), { tier: off, enabled: false }], clock: new FakeClock() })
  const users = loadsOf(tide)
  await users.get('a')
  await users.set('b', 'b')
  await users.delete('a')
  await users.clear()
  await clock.advance('5m')
  expect(off.calls).toEqual([])
  expect((await tide.tiers())[1]).toMatchObject({ state: 'disabled' })
})

describe('no-leak', () => {
  it('after any chaos no load, timer or journal line is left', async () => {
    const clock = new FakeClock()
    const broken = chaos(memory())
    const { tide } = subject({ tiers: [memory({ maxEntries: 20 }), { tier: broken, budget: '5ms' }], clock })
    const idleTimers = clock.timers
    let n = 0
    const users = tide.resource({
      name: 'users',
      load: async (key: string) => {
        if (++n % 5 === 0) throw new Error('source')
        if (n % 7 === 0) return new Promise<string>(() => {})
        return key
      },
      freshness: ttl('1s'),
      staleWhileRevalidate: '5s',
      staleIfError: '10s',
      timeout: { soft: '100ms', hard: '2s' },
    })
    const rejected = vi.fn<(reason: unknown) => void>()
    process.on('unhandledRejection', rejected)
    const reads: Promise<unknown>[] = []
    for (let i = 0; i < 400; i++) {
      const operation = (['get', 'put', 'remove', 'lease'] as const)[i % 4] as 'get'
      if (i % 11 === 0) broken.fail(operation, { times: 2 })
      if (i % 17 === 0) broken.hang(operation, { times: 1 })
      if (i % 23 === 0) broken.heal()
      reads.push(users.get(`k${i % 30}`).catch(() => {}))
      if (i % 13 === 0) reads.push(users.delete(`k${i % 30}`))
      if (i % 3 === 0) await clock.advance('100ms')
    }
    broken.heal()
    for (let i = 0; i < 10; i++) await clock.advance('5s')
    await Promise.all(reads)
    await clock.advance('1m')
    await settled()
    process.off('unhandledRejection', rejected)
    expect(rejected).not.toHaveBeenCalled()
    expect((await tide.stats()).loading).toBe(0)
    expect((await tide.tiers())[1]).toMatchObject({ state: 'up', journal: { items: 0 } })
    expect(clock.timers).toBe(idleTimers)
    await tide.close()
    expect(clock.timers).toBe(0)
  })
})
