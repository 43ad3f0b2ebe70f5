import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { createTidemark, isTidemarkError, memory, untilInvalidated, type Tier, type TidemarkEvent } from 'tidemark'
import { describe, expect, it } from 'vitest'
import { copyValue, deepFreeze } from '../../src/codec/copy.ts'
import { Handout } from '../../src/codec/handout.ts'
import { binary, plain, storable } from './storable.ts'

/** Every object a value holds, map keys included. */
function* parts(value: unknown): Iterable<object> {
  if (typeof value !== 'object' || value === null) return
  yield value
  if (ArrayBuffer.isView(value)) return yield* parts(value.buffer)
  if (value instanceof Map) for (const pair of value) yield* pair.flatMap((it) => [...parts(it)])
  else if (value instanceof Set) for (const item of value) yield* parts(item)
  else for (const item of Object.values(value)) yield* parts(item)
}

const mixed = (): { list: number[]; at: Date } => ({ list: [1], at: new Date(5) })

describe('copies', () => {
  it('are equal and share nothing that could change', () => {
    fc.assert(
      fc.property(storable, (value) => {
        const copy = copyValue(value)
        assert.deepStrictEqual(copy, value)
        const own = new Set(parts(value))
        for (const part of parts(copy)) expect(own.has(part)).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  it('of a view take its part of the buffer, not the buffer', () => {
    fc.assert(
      fc.property(binary, (value) => {
        const copy = copyValue(value)
        assert.deepStrictEqual(copy, value)
        expect(Object.getPrototypeOf(copy)).toBe(Object.getPrototypeOf(value))
        if (ArrayBuffer.isView(copy) && !Buffer.isBuffer(copy)) expect(copy.buffer.byteLength).toBe(copy.byteLength)
      }),
      { numRuns: 300 },
    )
  })
})

describe('freezing', () => {
  it('freezes plain values all through', () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(deepFreeze(value)).toBe(true)
        for (const part of parts(value)) expect(Object.isFrozen(part)).toBe(true)
      }),
    )
  })

  it('tells when a part cannot be frozen, and freezes the rest', () => {
    for (const part of [new Date(5), new Map(), new Set(), Buffer.alloc(1), new Int16Array(1), new ArrayBuffer(1)]) {
      const value = { list: [1], deep: [{ part }], last: { n: 1 } }
      expect(deepFreeze(value)).toBe(false)
      expect([value, value.list, value.deep, value.last].every((it) => Object.isFrozen(it))).toBe(true)
    }
  })

  it('ends for a value that holds itself', () => {
    const circle: Record<string, unknown> = {}
    circle['self'] = circle
    expect(deepFreeze(circle)).toBe(true)
    expect(Object.isFrozen(circle)).toBe(true)
  })
})

describe('handing out', () => {
  it('share: the very value, as it is', () => {
    const handout = new Handout('share')
    const value = mixed()
    expect(handout.out(handout.admit(value))).toBe(value)
    expect(Object.isFrozen(value)).toBe(false)
  })

  it('freeze: plain values are the very value, and a mutation throws', () => {
    const handout = new Handout('freeze')
    const value = { list: [1] }
    const out = handout.out(handout.admit(value))
    expect(out).toBe(value)
    expect(() => out.list.push(2)).toThrow(TypeError)
  })

  it('freeze: a value of which a part cannot be frozen is another copy for everyone', () => {
    const handout = new Handout('freeze')
    const stored = handout.admit(mixed())
    const [one, two] = [handout.out(stored), handout.out(stored)]
    one.at.setTime(99)
    one.list.push(2)
    expect(two).toEqual(mixed())
    expect(handout.out(stored)).toEqual(mixed())
  })

  it('clone: what was given may change afterwards, and what was handed out as well', () => {
    const handout = new Handout('clone')
    const given = mixed()
    const stored = handout.admit(given)
    given.list.push(2)
    handout.out(stored).at.setTime(99)
    expect(handout.out(stored)).toEqual(mixed())
    expect(Object.isFrozen(handout.out(stored).list)).toBe(false)
  })

  it.for(['share', 'freeze', 'clone'] as const)('%s: what cannot change is handed out as it is', (mode) => {
    const handout = new Handout(mode)
    for (const value of [0, -0, '', 'text', null, true, 1n, Number.NaN])
      expect(Object.is(handout.out(handout.admit(value)), value)).toBe(true)
  })
})

it('freeze: whoever gave a value that cannot be frozen cannot change the stored one', () => {
  const handout = new Handout('freeze')
  const given = { at: new Date(5), bytes: Buffer.from([1, 2]), list: [1] }
  const stored = handout.admit(given)
  given.bytes[0] = 9
  given.at.setTime(9)
  expect(stored).toEqual({ at: new Date(5), bytes: Buffer.from([1, 2]), list: [1] })
})

it.for(['freeze', 'clone'] as const)(
  '%s: a value nested too deeply is refused, one that is deep is not',
  async (mode) => {
    const nested = (depth: number, wrap: (value: unknown) => unknown): unknown => {
      let value: unknown = 1
      for (let i = 0; i < depth; i++) value = wrap(value)
      return value
    }
    const wraps = [
      (it: unknown) => [it],
      (it: unknown) => ({ it }),
      (it: unknown) => new Map([['it', it]]),
      (it: unknown) => new Set([it]),
    ]
    for (const wrap of wraps) {
      const handout = new Handout(mode)
      const refusal = ((): unknown => {
        try {
          return handout.admit(nested(20_000, wrap))
        } catch (error) {
          return error
        }
      })()
      expect(isTidemarkError(refusal, 'invalid-value'), String(refusal)).toBe(true)
      expect(() => handout.out(handout.admit(nested(300, wrap)))).not.toThrow()
    }
    await using tide = createTidemark({ tiers: [memory()], ...(mode === 'clone' ? { isolate: 'clone' } : {}) })
    const units = tide.resource({
      name: 'units',
      load: (_unit: string) => nested(20_000, (it) => [it]),
      freshness: untilInvalidated(),
    })
    for (const failing of [
      units.get('a'),
      units.set(
        'a',
        nested(20_000, (it) => [it]),
      ),
    ])
      expect(isTidemarkError(await failing.catch((it: unknown) => it), 'invalid-value')).toBe(true)
  },
)

it.for([{ freeze: true }, { isolate: 'clone' }] as const)(
  '%j: a value of a lower tier that is nested too deeply to be copied is a miss, and is told',
  async (options) => {
    const inner = memory({ maxEntries: 10 })
    let deep: unknown = new Date(0)
    for (let i = 0; i < 20_000; i++) deep = [deep]
    const lower: Tier = {
      name: 'lower',
      capabilities: { persistent: true, shared: true, sync: false },
      get: async (key) => {
        const entry = await inner.get(key)
        return entry?.value === 'deep' ? { ...entry, value: deep } : entry
      },
      put: async (entry, lease) => inner.put(entry, lease),
      lease: async () => inner.lease(),
      remove: async (selector, staleAt) => inner.remove(selector, staleAt),
      keys: (selector) => inner.keys(selector),
      count: async (selector) => inner.count(selector),
      sweep: async (now, limit) => inner.sweep(now, limit),
      close: () => inner.close(),
    }
    const resource = (tiers: Tier[]) => {
      const tide = createTidemark({ tiers, ...options })
      const told: TidemarkEvent[] = []
      tide.on('event', (event) => void (event.type === 'corrupt' ? told.push(event) : 0))
      const values = tide.resource({ name: 'values', load: () => 'loaded', freshness: untilInvalidated() })
      return { values, told }
    }
    await resource([lower]).values.set('k', 'deep')
    const { values, told } = resource([memory(), lower])
    expect(await values.get('k')).toBe('loaded')
    expect(told).toMatchObject([{ tier: 'lower', key: { name: 'values', id: 'k' } }])
    expect(await values.get('k')).toBe('loaded')
  },
)
