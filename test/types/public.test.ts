// What the compiler knows of the public surface; `tsc` checks this file, running it only shows that it is read.

import { describe, expectTypeOf, it } from 'vitest'
import {
  createTidemark,
  immutable,
  isTidemarkError,
  memory,
  sliding,
  sqlite,
  ttl,
  untilInvalidated,
  type Collection,
  type CountsByName,
  type Duration,
  type ErrorCode,
  type KeyInput,
  type ListReading,
  type NameStats,
  type Policy,
  type Reading,
  type ReadingReason,
  type Resource,
  type Tidemark,
  type TidemarkError,
  type TidemarkEvent,
  type Tier,
} from 'tidemark'
import { chaos, type ChaosTier, type FakeClock } from 'tidemark/testing'

interface Status {
  readonly battery: number
}

/** Never called: only its types matter. */
const unused = (_check: (tide: Tidemark) => unknown): void => {}

describe('resources', () => {
  it('take key and value from the loader', () => {
    unused((tide) => {
      const status = tide.resource({
        name: 'status',
        load: async (unit: string): Promise<Status> => ({ battery: unit.length }),
        freshness: ttl('30s'),
      })
      expectTypeOf(status).toEqualTypeOf<Resource<string, Status>>()
      expectTypeOf(status.get('a')).toEqualTypeOf<Promise<Status>>()
      expectTypeOf(status.read('a')).toEqualTypeOf<Promise<Reading<Status>>>()
      expectTypeOf(status.peek('a')).toEqualTypeOf<Status | undefined>()
      expectTypeOf(status.stored('a')).toEqualTypeOf<Promise<Status | undefined>>()
      expectTypeOf(status.getMany(['a'])).toEqualTypeOf<Promise<Status[]>>()
      expectTypeOf<(typeof status)['set']>().parameter(1).toEqualTypeOf<Status>()
      expectTypeOf(status.stats()).toEqualTypeOf<Promise<NameStats>>()
      // @ts-expect-error a number is no unit
      void status.get(5)
      // @ts-expect-error no status
      void status.set('a', { battery: 'full' })
      // @ts-expect-error no such option
      void status.get('a', { force: true })
    })
  })

  it('a loader that answers at once is as good; null is part of the value', () => {
    unused((tide) => {
      const users = tide.resource({
        name: 'users',
        load: (id: number) => (id > 0 ? { id } : null),
        freshness: untilInvalidated(),
      })
      expectTypeOf(users.get(1)).toEqualTypeOf<Promise<{ id: number } | null>>()
    })
  })

  it('tuples as keys', () => {
    unused((tide) => {
      const waveforms = tide.resource({
        name: 'waveforms',
        load: async ([unit, index]: readonly [string, number]) => `${unit}${index}`,
        scope: ([unit]) => unit,
        freshness: immutable(),
      })
      expectTypeOf(waveforms.get(['a', 1])).toEqualTypeOf<Promise<string>>()
      // @ts-expect-error a tuple of the wrong kind
      void waveforms.get(['a', 'b'])
    })
  })

  it('objects as keys, with a function that makes a key of them', () => {
    unused((tide) => {
      const events = tide.resource({
        name: 'events',
        key: (q: { unit: string; page: number }) => [q.unit, q.page],
        load: async (q) => q.page,
        tags: (q, value) => [q.unit, String(value)],
        freshness: ttl('1m'),
      })
      expectTypeOf(events.get({ unit: 'a', page: 1 })).toEqualTypeOf<Promise<number>>()
    })
  })

  it('the policy fits the value', () => {
    unused((tide) => {
      tide.resource({
        name: 'tokens',
        load: async (_user: string) => ({ token: 't', expiresInS: 60 }),
        freshness: ttl((it: { expiresInS: number }) => it.expiresInS * 1_000),
      })
      tide.resource({
        name: 'wrong',
        load: async (_user: string) => ({ token: 't' }),
        // @ts-expect-error the value has no expiresInS
        freshness: ttl((it: { expiresInS: number }) => it.expiresInS * 1_000),
      })
      // @ts-expect-error a policy is needed
      tide.resource({ name: 'none', load: async (_user: string) => 1 })
      // @ts-expect-error a duration is no policy
      tide.resource({ name: 'bare', load: async (_user: string) => 1, freshness: '30s' })
      // @ts-expect-error an option that nothing reads
      tide.resource({ name: 'odd', load: async (_user: string) => 1, freshness: ttl('30s'), ttl: '30s' })
    })
  })

  it('the loader gets a signal, the stale value and a way to tell how far it is', () => {
    unused((tide) => {
      const resource = tide.resource({
        name: 'users',
        load: async (_id: string, { signal, stale, progress }) => {
          expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
          expectTypeOf(stale).toBeUnknown()
          expectTypeOf(progress).toEqualTypeOf<(done: number, total: number) => void>()
          return 1
        },
        freshness: sliding('10m', { max: '1h' }),
      })
      expectTypeOf(resource.get('a')).toEqualTypeOf<Promise<number>>()
    })
  })
})

describe('collections', () => {
  it('take key and item from the loader', () => {
    unused((tide) => {
      const events = tide.collection({
        name: 'events',
        probe: (_unit: string) => ({ count: 3 }),
        load: async (_unit: string, { from, to, signal }) =>
          Array.from({ length: to - from }, (_, i) => ({ index: from + i, aborted: signal.aborted })),
        identity: (event) => [event.index, null, undefined, 'x'],
      })
      interface Item {
        index: number
        aborted: boolean
      }
      expectTypeOf(events).toEqualTypeOf<Collection<string, Item>>()
      expectTypeOf(events.list('u')).toEqualTypeOf<Promise<Item[]>>()
      expectTypeOf(events.at('u', 1)).toEqualTypeOf<Promise<Item>>()
      expectTypeOf(events.read('u')).toEqualTypeOf<Promise<ListReading<Item>>>()
      expectTypeOf(events.sync('u')).resolves.toEqualTypeOf<{ total: number; added: number; era: 'same' | 'new' }>()
      expectTypeOf(events.stored('u')).resolves.toEqualTypeOf<Map<number, Item> | undefined>()
    })
  })
})

describe('errors', () => {
  it('have literal codes that a switch can be complete over', () => {
    expectTypeOf<TidemarkError['code']>().toEqualTypeOf<ErrorCode>()
    expectTypeOf<'load-timeout'>().toExtend<ErrorCode>()
    expectTypeOf<'no-such-code'>().not.toExtend<ErrorCode>()
    expectTypeOf<string>().not.toExtend<ErrorCode>()
  })

  it('are told from anything', () => {
    unused(() => {
      const error: unknown = undefined
      if (isTidemarkError(error, 'closed')) expectTypeOf(error.code).toEqualTypeOf<ErrorCode>()
      // @ts-expect-error no such code
      isTidemarkError(error, 'close')
    })
  })
})

describe('the rest of the surface', () => {
  it('durations are checked as far as a type can', () => {
    for (const right of [5, '5ms', '1.5h', '7d', '2w'] as const) expectTypeOf(right).toExtend<Duration>()
    for (const wrong of ['5', 's', '5 minutes', '5y'] as const) expectTypeOf(wrong).not.toExtend<Duration>()
  })

  it('keys are parts and tuples of parts', () => {
    expectTypeOf<string | number | boolean | readonly [string, number] | string[]>().toExtend<KeyInput>()
    expectTypeOf<{ id: string }>().not.toExtend<KeyInput>()
    expectTypeOf<null>().not.toExtend<KeyInput>()
    expectTypeOf<[[string]]>().not.toExtend<KeyInput>()
  })

  it('reasons and events are unions to switch over', () => {
    expectTypeOf<ReadingReason>().toEqualTypeOf<
      'hit' | 'loaded' | 'revalidating' | 'source-slow' | 'source-unavailable'
    >()
    expectTypeOf<Extract<TidemarkEvent, { type: 'load-failed' }>['retryAt']>().toEqualTypeOf<number>()
    expectTypeOf<Extract<TidemarkEvent, { type: 'evicted' }>['cause']>().toEqualTypeOf<
      'size' | 'ttl' | 'explicit' | 'era' | 'corrupt'
    >()
    expectTypeOf<Reading<number>['state']>().toEqualTypeOf<'fresh' | 'stale'>()
  })

  it('factories make what the cache takes', () => {
    expectTypeOf(memory).returns.toEqualTypeOf<Tier>()
    expectTypeOf(sqlite).returns.toEqualTypeOf<Tier>()
    expectTypeOf(chaos).returns.toEqualTypeOf<ChaosTier>()
    expectTypeOf<ChaosTier>().toExtend<Tier>()
    expectTypeOf(untilInvalidated).returns.toEqualTypeOf<Policy>()
    expectTypeOf(createTidemark).returns.toExtend<AsyncDisposable>()
    expectTypeOf<FakeClock['advance']>().returns.toEqualTypeOf<Promise<void>>()
    unused((tide) => {
      expectTypeOf(tide.era('e').renew('s')).toEqualTypeOf<Promise<CountsByName>>()
      expectTypeOf(tide.scope('s').clear()).toEqualTypeOf<Promise<CountsByName>>()
      // @ts-expect-error no such event
      tide.on('evnt', () => {})
    })
  })
})
