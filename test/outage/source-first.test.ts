// `strategy: 'source-first'`: every read asks the source; the cache answers when it cannot.

import { describe, expect, it } from 'vitest'
import { isTidemarkError, memory, sqlite, ttl, type ResourceOptions, type SourceOptions } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { deferred, settled, subject } from '../contract/stacks.ts'

interface Vendor {
  readonly name: string
  readonly n: number
}

const refused = (): Error => Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' })

/** Vendors of a source that is under the test's control. */
function open(options: Partial<ResourceOptions<string, Vendor>> = {}, sourceOptions: SourceOptions = {}) {
  const { tide, clock, events } = subject({ tiers: [memory(), sqlite({ path: ':memory:' })], clock: new FakeClock() })
  const database = {
    n: 0,
    asked: [] as string[],
    failure: undefined as Error | undefined,
    gate: undefined as Promise<unknown> | undefined,
  }
  const source = tide.source('projects', sourceOptions)
  const vendors = tide.resource<string, Vendor>({
    name: 'vendors',
    strategy: 'source-first',
    source,
    load: async (name) => {
      database.asked.push(name)
      await database.gate
      if (database.failure) throw database.failure
      return { name, n: database.n }
    },
    freshness: ttl('30m'),
    ...options,
  })
  const askedBy = async (work: () => Promise<unknown>): Promise<string[]> => {
    database.asked.length = 0
    await work()
    return database.asked
  }
  return { tide, clock, events, database, source, vendors, askedBy }
}

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('while the source answers', () => {
  it('every read asks it, and fills the cache', async () => {
    const { vendors, database, askedBy } = open()
    expect(await vendors.read('acme')).toMatchObject({
      value: { n: 0 },
      state: 'fresh',
      reason: 'loaded',
      tier: 'source',
    })
    database.n = 1
    expect(await askedBy(() => vendors.get('acme'))).toEqual(['acme'])
    expect(await vendors.get('acme')).toEqual({ name: 'acme', n: 1 })
    expect(vendors.peek('acme')).toEqual({ name: 'acme', n: 1 })
    expect(await vendors.stored('acme')).toEqual({ name: 'acme', n: 1 })
    expect((await vendors.read('acme')).warning).toBeUndefined()
  })

  it('readers of one key share a load', async () => {
    const { vendors, database } = open()
    const gate = deferred<undefined>()
    database.gate = gate.promise
    const reading = Promise.all(Array.from({ length: 20 }, () => vendors.get('acme')))
    await settled()
    gate.resolve(undefined)
    await reading
    expect(database.asked).toEqual(['acme'])
  })

  it('what is wrong with the question is the caller’s, whatever is cached, and says that the source is up', async () => {
    const { vendors, database, source } = open()
    await vendors.get('acme')
    database.failure = Object.assign(new Error('syntax error'), { code: '42601' })
    for (let i = 0; i < 5; i++) expect(await failureOf(vendors.get('acme'))).toBe(database.failure)
    expect(source.status).toMatchObject({ state: 'up', failures: 0 })
  })

  it('no more loads at a time than `concurrency`; the others wait their turn', async () => {
    const { vendors, database, clock } = open({}, { concurrency: 3 })
    const gate = deferred<undefined>()
    database.gate = gate.promise
    const reading = Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => vendors.get(name)))
    await settled()
    expect(database.asked).toEqual(['a', 'b', 'c'])
    gate.resolve(undefined)
    await reading
    expect(database.asked).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(clock.timers).toBeLessThan(5)
  })
})

describe('when the source cannot be reached', () => {
  it('reads get what is cached, saying so: where from, how old, why, and how much to doubt it', async () => {
    const { vendors, database, clock } = open()
    await vendors.get('acme')
    database.failure = refused()
    await clock.jump('10m')
    expect(await vendors.read('acme')).toEqual({
      value: { name: 'acme', n: 0 },
      state: 'stale',
      reason: 'source-unavailable',
      tier: 'memory',
      age: 600_000,
      loadedAt: clock.now() - 600_000,
      revision: undefined,
      error: database.failure,
      warning: 'cached',
    })
    await clock.jump('5m')
    expect((await vendors.read('acme')).warning).toBe('aging')
    await clock.jump('15m')
    expect((await vendors.read('acme')).warning).toBe('last-resort')
    await clock.jump('7d')
    expect(isTidemarkError(await failureOf(vendors.read('acme')), 'source-unavailable')).toBe(true)
  })

  it('a value from a clock that was ahead is a last resort: how old it is nobody knows', async () => {
    const { vendors, database, clock } = open()
    await vendors.get('acme')
    database.failure = refused()
    await clock.jump('10m')
    const back = new FakeClock(clock.now() - 3 * 3_600_000)
    clock.now = () => back.now()
    clock.coarse = () => back.now()
    expect(await vendors.read('acme')).toMatchObject({ age: 0, warning: 'last-resort' })
  })

  it('warnAfter and staleIfError are what they are told to be', async () => {
    const { vendors, database, clock } = open({ warnAfter: '1m', staleIfError: 0 })
    await vendors.get('acme')
    database.failure = refused()
    await clock.jump('1m')
    expect((await vendors.read('acme')).warning).toBe('aging')
    await clock.jump('29m')
    expect(isTidemarkError(await failureOf(vendors.read('acme')), 'source-unavailable')).toBe(true)
  })

  it('nothing cached: an error that names the failure', async () => {
    const { vendors, database, source } = open()
    database.failure = refused()
    const error = await failureOf(vendors.get('acme'))
    expect(error).toMatchObject({
      code: 'source-unavailable',
      message:
        'The source of vendors cannot answer (connect ECONNREFUSED 127.0.0.1:5432), and nothing is cached for acme.',
      cause: database.failure,
      data: { name: 'vendors', key: 'acme', source: 'projects' },
    })
    expect(source.status.failures).toBe(1)
  })

  it('three failures open the breaker: nobody asks any more, and everybody is answered at once', async () => {
    const { vendors, database, source, askedBy, events } = open()
    await vendors.get('acme')
    database.failure = refused()
    expect(
      await askedBy(async () => {
        for (let i = 0; i < 50; i++) expect((await vendors.read('acme')).reason).toBe('source-unavailable')
      }),
    ).toHaveLength(3)
    expect(source.status).toMatchObject({ state: 'open', reason: database.failure.message })
    expect(events.filter(({ type }) => type === 'source-state')).toMatchObject([{ source: 'projects', state: 'open' }])
    expect(isTidemarkError(await failureOf(vendors.get('other')), 'source-unavailable')).toBe(true)
    expect(database.asked).toHaveLength(3)
  })

  it('refresh asks it all the same, and its failure is the caller’s', async () => {
    const { vendors, database, askedBy } = open()
    await vendors.get('acme')
    database.failure = refused()
    for (let i = 0; i < 4; i++) await vendors.read('acme')
    expect(
      await askedBy(async () => expect(await failureOf(vendors.get('acme', { refresh: true }))).toBe(database.failure)),
    ).toEqual(['acme'])
  })

  it('counts: a read is a hit or a miss, and those answered from the cache are fallbacks', async () => {
    const { vendors, database } = open()
    await vendors.get('acme')
    database.failure = refused()
    for (let i = 0; i < 5; i++) await vendors.get('acme')
    expect(await vendors.stats()).toMatchObject({
      requests: 6,
      hits: 2,
      staleHits: 2,
      misses: 4,
      fallbacks: 5,
      loads: 4,
      loadFailures: 3,
    })
  })
})

describe('when the source is slow', () => {
  it('the first reader waits for the soft timeout; then it is left alone, and nobody waits', async () => {
    const { vendors, database, source, clock } = open()
    await vendors.get('acme')
    await vendors.get('other')
    database.gate = new Promise(() => {})
    const first = vendors.read('acme')
    await settled()
    await clock.advance(250)
    expect(await first).toMatchObject({ value: { n: 0 }, state: 'stale', reason: 'source-slow', warning: 'cached' })
    expect(source.isOpen).toBe(true)
    expect((await vendors.read('other')).reason).toBe('source-unavailable')
  })

  it('without anything cached a reader waits for the hard timeout', async () => {
    const { vendors, database, clock } = open()
    database.gate = new Promise(() => {})
    const reading = failureOf(vendors.get('acme'))
    await settled()
    await clock.advance('2s')
    const error = await reading
    expect(isTidemarkError(error, 'source-unavailable')).toBe(true)
    expect((error as Error).cause).toMatchObject({ code: 'load-timeout' })
  })

  it('one slow question while others are answered: only its reader gets the cache', async () => {
    const { vendors, database, source, clock } = open()
    await vendors.get('slow')
    await vendors.get('quick')
    const gate = deferred<undefined>()
    database.gate = gate.promise
    const slow = vendors.read('slow')
    await settled()
    database.gate = undefined
    await clock.advance(100)
    expect((await vendors.read('quick')).reason).toBe('loaded')
    await clock.advance(150)
    expect((await slow).reason).toBe('source-slow')
    expect(source.isOpen).toBe(false)
    gate.resolve(undefined)
  })

  it('loaders that never end hold up nobody for ever: their places are free at the hard timeout', async () => {
    const { vendors, database, clock } = open(
      { timeout: { soft: '10s', hard: '2s' } },
      { concurrency: 2, failureThreshold: 100 },
    )
    database.gate = new Promise(() => {})
    const hung = ['a', 'b', 'c'].map((name) => failureOf(vendors.get(name)))
    await settled()
    expect(database.asked).toEqual(['a', 'b'])
    await clock.advance('2s')
    await Promise.all(hung)
    database.gate = undefined
    expect((await vendors.get('d')).name).toBe('d')
  })
})

describe('when the source is back', () => {
  const breakIt = async ({ vendors, database }: ReturnType<typeof open>): Promise<void> => {
    database.failure = refused()
    for (let i = 0; i < 3; i++) await failureOf(vendors.read('acme'))
  }

  it('two probes find out, without a reader waiting; then reads ask it again', async () => {
    const hub = open()
    const { vendors, database, source, clock, askedBy } = hub
    await vendors.get('acme')
    await breakIt(hub)
    expect(await askedBy(() => clock.advance('500ms'))).toEqual(['acme'])
    expect(source.isOpen).toBe(true)
    delete (database as { failure?: Error }).failure
    database.n = 5
    expect(await askedBy(() => clock.advance('1s'))).toHaveLength(2)
    expect(source.isOpen).toBe(false)
    expect(await vendors.read('acme')).toMatchObject({ value: { n: 5 }, reason: 'loaded' })
  })

  it('as long as it is not, probes come later and later, five seconds apart at most', async () => {
    const hub = open()
    const { vendors, clock, askedBy } = hub
    await vendors.get('acme')
    await breakIt(hub)
    const early = await askedBy(() => clock.advance('5s'))
    expect(early.length).toBeGreaterThan(2)
    expect(early.length).toBeLessThan(12)
    const late = await askedBy(() => clock.advance('60s'))
    expect(late.length).toBeGreaterThan(10)
    expect(late.length).toBeLessThan(26)
  })

  it('a probe of the application’s own is asked instead', async () => {
    let probes = 0
    const hub = open(
      {},
      {
        probe: async () => {
          if (++probes < 3) throw refused()
        },
      },
    )
    const { vendors, source, clock, askedBy } = hub
    await vendors.get('acme')
    await breakIt(hub)
    expect(await askedBy(() => clock.advance('10s'))).toEqual(['acme'])
    expect(probes).toBe(4)
    expect(source.isOpen).toBe(false)
  })

  it('a probe that hangs is given up, and another one follows', async () => {
    let probes = 0
    const hub = open({}, { probe: () => (++probes === 1 ? new Promise(() => {}) : 1), warmUp: false })
    const { vendors, source, clock } = hub
    await vendors.get('acme')
    await breakIt(hub)
    // Begun within half a second, given up after two.
    await clock.advance('2.6s')
    expect([probes, source.isOpen]).toEqual([1, true])
    await clock.advance('5s')
    expect(source.isOpen).toBe(false)
  })

  it('what was read last is loaded anew, newest first, at a bounded rate, and how far it has come is told', async () => {
    const hub = open({}, { probe: () => 1, warmUp: { keys: 30, perSecond: 10 } })
    const { vendors, database, clock, events } = hub
    for (let i = 0; i < 50; i++) await vendors.get(`v${i}`)
    await vendors.get('v7')
    await breakIt(hub)
    delete (database as { failure?: Error }).failure
    database.asked.length = 0
    await clock.advance('700ms')
    expect(database.asked.slice(0, 2)).toEqual(['acme', 'v7'])
    const begun = database.asked.length
    await clock.advance('1s')
    expect(database.asked.length - begun).toBeGreaterThan(4)
    expect(database.asked.length - begun).toBeLessThan(21)
    await clock.advance('6s')
    expect(database.asked).toHaveLength(30)
    expect(database.asked).toContain('v49')
    expect(database.asked).not.toContain('v6')
    const told = events.filter(({ type }) => type === 'warm-up')
    expect(told.at(-1)).toEqual({ type: 'warm-up', source: 'projects', done: 30, total: 30 })
    expect(told.length).toBeLessThanOrEqual(20)
  })

  it('what readers have loaded meanwhile is not loaded once more', async () => {
    const hub = open({}, { probe: () => 1, warmUp: { perSecond: 1 } })
    const { vendors, database, clock } = hub
    await vendors.get('a')
    await vendors.get('b')
    await breakIt(hub)
    delete (database as { failure?: Error }).failure
    await clock.advance('600ms')
    await vendors.get('a')
    database.asked.length = 0
    await clock.advance('10s')
    expect(database.asked).toEqual(['b'])
  })

  it('when it is gone again the warm-up stops', async () => {
    const state = { isGone: false }
    const probe = (): void => {
      if (state.isGone) throw refused()
    }
    const hub = open({}, { probe, warmUp: { perSecond: 1 } })
    const { vendors, database, clock, source } = hub
    for (let i = 0; i < 20; i++) await vendors.get(`v${i}`)
    await breakIt(hub)
    delete (database as { failure?: Error }).failure
    await clock.advance('600ms')
    expect(source.isOpen).toBe(false)
    state.isGone = true
    await breakIt(hub)
    database.asked.length = 0
    await clock.advance('20s')
    expect(database.asked).toEqual([])
  })

  it('resources of one source share its breaker', async () => {
    const hub = open()
    const items = hub.tide.resource({
      name: 'items',
      strategy: 'source-first',
      source: hub.source,
      load: async (id: number) => {
        hub.database.asked.push(`item ${id}`)
        return id
      },
      freshness: ttl('30m'),
    })
    await items.get(1)
    await hub.vendors.get('acme')
    await breakIt(hub)
    expect(await hub.askedBy(async () => expect((await items.read(1)).reason).toBe('source-unavailable'))).toEqual([])
  })
})

describe('explain', () => {
  it('says how the source is, and what a read would get', async () => {
    const { vendors, database, clock } = open()
    expect((await vendors.explain('acme')).reason).toBe(
      'A read asks the source; nothing may be handed out if it is slow or fails.',
    )
    await vendors.get('acme')
    await clock.jump('5s')
    expect(await vendors.explain('acme')).toMatchObject({
      reason: 'A read asks the source; what memory has from 5000 ms ago may be handed out if it is slow or fails.',
      source: { source: 'projects', state: 'up' },
    })
    database.failure = refused()
    for (let i = 0; i < 3; i++) await vendors.read('acme')
    const { reason, source, nextRefreshAt } = await vendors.explain('acme')
    expect(reason).toBe(
      'The source is left alone because of: connect ECONNREFUSED 127.0.0.1:5432; a read gets what memory has from 5000 ms ago.',
    )
    expect(nextRefreshAt).toBe(source?.nextProbeAt)
    expect((await vendors.explain('other')).reason).toMatch(/a read fails\.$/)
  })
})

describe('options', () => {
  const refusals: readonly (readonly [string, () => unknown])[] = [
    ['resource.strategy', () => open({ strategy: 'source' as never })],
    ['resource.source', () => open({ strategy: 'cache-first' })],
    ['resource.source', () => open({ source: {} as never })],
    ['resource.warnAfter', () => open({ strategy: undefined, source: undefined, warnAfter: '1m' })],
    ['resource.staleWhileRevalidate', () => open({ staleWhileRevalidate: '1m' })],
    ['resource.version', () => open({ version: 'v' as never })],
    ['source.failureThreshold', () => open({}, { failureThreshold: 0 })],
    ['source.concurrency', () => open({}, { concurrency: 1.5 })],
    ['source.probe', () => open({}, { probe: 'select 1' as never })],
    ['source.isUnavailable', () => open({}, { isUnavailable: true as never })],
    ['source.warmUp.keys', () => open({}, { warmUp: { keys: 0 } })],
    ['source.warmUp.perSecond', () => open({}, { warmUp: { perSecond: 0 } })],
  ]
  it.for(refusals)('%s is checked', ([option, make]) => {
    let error: unknown
    try {
      make()
    } catch (thrown) {
      error = thrown
    }
    expect(isTidemarkError(error, 'invalid-option')).toBe(true)
    expect((error as Error).message).toContain(`\`${option}\``)
  })

  it('a resource needs no source of a name', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const alone = tide.resource({
      name: 'alone',
      strategy: 'source-first',
      load: (id: number) => id,
      freshness: ttl('1m'),
    })
    expect(await alone.get(1)).toBe(1)
    expect((await alone.explain(1)).source).toMatchObject({ source: 'alone', state: 'up' })
  })

  it('what counts as unavailable can be said otherwise', async () => {
    const { vendors, database } = open({}, { isUnavailable: (error) => (error as Error).message === 'maintenance' })
    await vendors.get('acme')
    database.failure = new Error('maintenance')
    expect((await vendors.read('acme')).reason).toBe('source-unavailable')
    database.failure = refused()
    expect(await failureOf(vendors.read('acme'))).toBe(database.failure)
  })
})
