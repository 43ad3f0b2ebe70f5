import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  isTidemarkError,
  memory,
  type EvictionCause,
  type EvictionName,
  type MemoryOptions,
  type Tier,
  type TierReport,
} from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { entryOf } from '../../src/testing/tier-cases/case.ts'

const POLICIES: readonly EvictionName[] = ['s3-fifo', 'lru', 'fifo', 'lfu']

function open(options: MemoryOptions): { tier: Tier; clock: FakeClock; reports: TierReport[] } {
  const clock = new FakeClock()
  const tier = memory(options)
  const reports: TierReport[] = []
  tier.attach?.({ clock, report: (news) => reports.push(news) })
  return { tier, clock, reports }
}

async function bytesOf(tier: Tier): Promise<number> {
  let bytes = 0
  for await (const info of tier.keys({ kind: 'all' })) bytes += info.bytes ?? Number.NaN
  return bytes
}

describe.for(POLICIES)('%s', (eviction) => {
  it('maxEntries and maxBytes hold after every operation, what is found is what was put last, and what left was told', async () => {
    const operation = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), id: fc.nat(40), size: fc.nat(200) }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('get' as const), id: fc.nat(40), size: fc.constant(0) }) },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constantFrom('remove' as const, 'forget' as const),
          id: fc.nat(40),
          size: fc.constant(0),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), id: fc.nat(40), size: fc.constant(0) }) },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 120, size: 'max' }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 500, max: 4_000 }),
        async (operations, maxEntries, maxBytes) => {
          const left: string[] = []
          const { tier, clock, reports } = open({ eviction, maxEntries, maxBytes, onEvict: ({ id }) => left.push(id) })
          const last = new Map<string, string>()
          for (const it of operations) {
            const key = { name: 'users', id: String(it.id) }
            if (it.do === 'put') {
              await tier.put(entryOf(clock, 'users', key.id, 'x'.repeat(it.size)))
              last.set(key.id, 'x'.repeat(it.size))
            } else if (it.do === 'get') {
              const found = await tier.get(key)
              if (found) expect(found.value).toBe(last.get(key.id))
            } else if (it.do === 'remove') {
              await tier.remove({ kind: 'key', key })
              expect(await tier.get(key)).toBeUndefined()
            } else if (it.do === 'clear' && it.id % 5 === 0) await tier.remove({ kind: 'all' })
            else if (it.do === 'forget') tier.forget?.([it.id])
            expect(await tier.count({ kind: 'all' })).toBeLessThanOrEqual(maxEntries)
            expect(await bytesOf(tier)).toBeLessThanOrEqual(maxBytes)
          }
          expect(reports.flatMap((it) => (it.kind === 'evicted' ? [it.key?.id] : []))).toEqual(left)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('a full tier stays full: room is made for one, not for more', async () => {
    const { tier, clock } = open({ eviction, maxEntries: 50 })
    for (let i = 0; i < 500; i++) {
      await tier.put(entryOf(clock, 'users', String(i), i))
      if (i % 3 === 0) await tier.get({ name: 'users', id: String(i - 5) })
      if (i >= 50) expect(await tier.count({ kind: 'all' })).toBe(50)
    }
  })
})

describe('sizes', () => {
  it('a value larger than all there is is skipped and told; the older value does not stay in its place', async () => {
    const { tier, clock, reports } = open({ maxBytes: 1_000 })
    await tier.put(entryOf(clock, 'users', 'a', 'small'))
    await tier.put(entryOf(clock, 'users', 'b', 'small'))
    expect(await tier.put(entryOf(clock, 'users', 'a', 'x'.repeat(600)))).toBe(true)
    expect(await tier.get({ name: 'users', id: 'a' })).toBeUndefined()
    expect(await tier.get({ name: 'users', id: 'b' })).toBeDefined()
    expect(reports).toMatchObject([{ kind: 'skipped', key: { name: 'users', id: 'a' }, why: 'too-large' }])
  })

  it('of every kind of value grow with what is in it', async () => {
    const { tier, clock } = open({ maxBytes: 1e9 })
    const size = async (value: unknown): Promise<number> => {
      await tier.remove({ kind: 'all' })
      await tier.put(entryOf(clock, 'users', 'a', value))
      return bytesOf(tier)
    }
    const grows: readonly (readonly [unknown, unknown, number])[] = [
      ['', 'x'.repeat(1_000), 2_000],
      [[], Array.from({ length: 100 }, (_, i) => i), 800],
      [{}, { a: { b: { c: 'x'.repeat(500) } } }, 1_000],
      [new Map(), new Map([['k', 'x'.repeat(500)]]), 1_000],
      [new Set(), new Set(['x'.repeat(500)]), 1_000],
      [Buffer.alloc(0), Buffer.alloc(5_000), 5_000],
      [new Int16Array(), new Int16Array(2_500), 5_000],
      [new ArrayBuffer(0), new ArrayBuffer(5_000), 5_000],
    ]
    for (const [empty, full, more] of grows) {
      const difference = (await size(full)) - (await size(empty))
      expect(difference).toBeGreaterThanOrEqual(more)
      expect(difference).toBeLessThan(more * 2)
    }
    for (const value of [null, 0, true, 5n, new Date(5)]) expect(await size(value)).toBeGreaterThan(0)
  })

  it('what cannot be measured cannot be kept within a limit: it is refused', () => {
    const { tier, clock } = open({ maxBytes: 1_000 })
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    let error: unknown
    try {
      void tier.put(entryOf(clock, 'users', 'a', circle))
    } catch (it) {
      error = it
    }
    expect(isTidemarkError(error, 'invalid-value')).toBe(true)
  })

  it('a size that a tier below measured is believed, and only asked for where there is a limit', async () => {
    const limited = open({ maxBytes: 1_000 })
    await limited.tier.put({ ...entryOf(limited.clock, 'users', 'a', 'small'), bytes: 900 })
    expect(await bytesOf(limited.tier)).toBe(900)
    await limited.tier.put({ ...entryOf(limited.clock, 'users', 'b', 'small'), bytes: 900 })
    expect(await limited.tier.count({ kind: 'all' })).toBe(1)
  })

  it('10 000 entries unless something else is said; any number when only bytes are limited', async () => {
    for (const [options, expected] of [
      [{}, 10_000],
      [{ maxBytes: 1e9 }, 12_000],
      [{ maxEntries: Number.POSITIVE_INFINITY }, 12_000],
    ] as const) {
      const { tier, clock } = open(options)
      for (let i = 0; i < 12_000; i++) void tier.put(entryOf(clock, 'users', i, i))
      expect(await tier.count({ kind: 'all' })).toBe(expected)
    }
  })
})

describe('onEvict', () => {
  it('tells the key, the entry and the cause: for want of room, or past its time anyway', async () => {
    const told: [string, unknown, EvictionCause][] = []
    const { tier, clock, reports } = open({
      eviction: 'fifo',
      maxEntries: 2,
      onEvict: (key, entry, cause) => told.push([key.id, entry.value, cause]),
    })
    await tier.put(entryOf(clock, 'users', 'short', 1, { keepUntil: clock.now() + 10 }))
    await tier.put(entryOf(clock, 'users', 'long', 2))
    await clock.advance(10)
    await tier.put(entryOf(clock, 'users', 'c', 3))
    await tier.put(entryOf(clock, 'users', 'd', 4))
    expect(told).toEqual([
      ['short', 1, 'ttl'],
      ['long', 2, 'size'],
    ])
    expect(reports).toMatchObject([
      { kind: 'evicted', cause: 'ttl', count: 1 },
      { kind: 'evicted', cause: 'size', count: 1 },
    ])
  })

  it('is not called for what was removed, replaced, or swept', async () => {
    const told: string[] = []
    const { tier, clock } = open({ maxEntries: 5, onEvict: ({ id }) => told.push(id) })
    await tier.put(entryOf(clock, 'users', 'a', 1))
    await tier.put(entryOf(clock, 'users', 'a', 2))
    await tier.remove({ kind: 'key', key: { name: 'users', id: 'a' } })
    await tier.put(entryOf(clock, 'users', 'b', 1, { keepUntil: clock.now() + 10 }))
    await clock.advance(10)
    expect(await tier.sweep(clock.now(), 10)).toBe(1)
    await tier.close()
    expect(told).toEqual([])
  })

  it('one that throws does no harm: the entry is stored, the limit holds, the failure is told [proxies 23]', async () => {
    const { tier, clock, reports } = open({
      maxEntries: 3,
      onEvict: () => {
        throw new Error('callback')
      },
    })
    for (let i = 0; i < 10; i++) expect(await tier.put(entryOf(clock, 'users', i, i))).toBe(true)
    expect(await tier.count({ kind: 'all' })).toBe(3)
    expect(reports.filter(({ kind }) => kind === 'failed')).toHaveLength(7)
  })

  it('one that uses the cache itself finds it in order', async () => {
    let inside = 0
    const { tier, clock } = open({
      maxEntries: 3,
      onEvict: () => {
        if (inside++ < 2) void tier.put(entryOf(clock, 'victims', inside, inside))
      },
    })
    for (let i = 0; i < 10; i++) await tier.put(entryOf(clock, 'users', i, i))
    expect(await tier.count({ kind: 'all' })).toBe(3)
  })
})

describe('options', () => {
  const codeOf = (options: unknown): unknown => {
    try {
      memory(options as MemoryOptions)
      return undefined
    } catch (error) {
      return isTidemarkError(error) ? `${error.code} ${String(error.data['option'])}` : error
    }
  }

  it.for<readonly [unknown, string]>([
    [{ maxEntries: 0 }, 'invalid-option memory.maxEntries'],
    [{ maxEntries: 2.5 }, 'invalid-option memory.maxEntries'],
    [{ maxEntries: '10' }, 'invalid-option memory.maxEntries'],
    [{ maxBytes: -1 }, 'invalid-option memory.maxBytes'],
    [{ maxBytes: Number.NaN }, 'invalid-option memory.maxBytes'],
    [{ eviction: 'LRU' }, 'invalid-option memory.eviction'],
    [{ eviction: 'constructor' }, 'invalid-option memory.eviction'],
    [{ onEvict: 'log' }, 'invalid-option memory.onEvict'],
    [{ max: 10 }, 'unknown-option max'],
    [10_000, 'invalid-option memory()'],
  ])('%j is refused', ([options, told]) => {
    expect(codeOf(options)).toBe(told)
  })
})
