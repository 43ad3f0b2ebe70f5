import assert from 'node:assert/strict'
import { entryOf, valueOf, type TierCase } from './case.ts'

const MB = 1024 * 1024

/** `every-value-everywhere` of the contract: each survives unchanged. Functions, so that no two tests share a value. */
export const VALUES: Readonly<Record<string, () => unknown>> = {
  zero: () => 0,
  'minus zero': () => -0,
  false: () => false,
  'an empty string': () => '',
  null: () => null,
  NaN: () => Number.NaN,
  Infinity: () => Number.POSITIVE_INFINITY,
  '-Infinity': () => Number.NEGATIVE_INFINITY,
  'a large number': () => Number.MAX_SAFE_INTEGER,
  'a fraction': () => 0.1 + 0.2,
  'a string of every kind': () => 'é e\u0301 \0 \n " \\ \ud800 🌊 \u2028',
  'an empty object': () => ({}),
  'an empty array': () => [],
  'nested objects': () => ({ a: { b: [1, null, { c: 'd' }] }, e: false }),
  'undefined inside': () => ({ a: undefined, b: [undefined, 1] }),
  'a Date': () => new Date(1_700_000_000_123),
  'an invalid Date': () => new Date(Number.NaN),
  'a BigInt': () => 2n ** 70n,
  'a Map': () =>
    new Map<unknown, unknown>([
      ['a', 1],
      [2, new Map([['x', new Date(5)]])],
      [{ k: 1 }, null],
    ]),
  'a Set': () => new Set([1, 'a', null, 3n]),
  'an empty Buffer': () => Buffer.alloc(0),
  'a Buffer': () => Buffer.from([0, 1, 254, 255]),
  'an ArrayBuffer': () => Uint8Array.from([1, 2, 3]).buffer,
  'typed arrays': () => [
    new Int8Array([-1]),
    new Uint8Array([255]),
    new Uint8ClampedArray([7]),
    new Int16Array([-300, 300]),
    new Uint16Array([65_535]),
    new Int32Array([-70_000]),
    new Uint32Array([4_000_000_000]),
    new Float32Array([1.5]),
    new Float64Array([0.1, -0]),
    new BigInt64Array([-5n]),
    new BigUint64Array([5n]),
  ],
  'a view into a larger buffer': () => new Int16Array(new Int16Array([1, 2, 3, 4, 5, 6]).buffer, 4, 2),
  'keys that look like tags': () => ({ $: 'd', v: 5, o: { $: { $: 'u' } } }),
  'keys that look like prototypes': () =>
    JSON.parse('{"__proto__": {"x": 1}, "constructor": 2, "toString": null}') as unknown,
  'typed and plain mixed': () => ({ at: new Date(1), n: -0, list: [{ big: 1n }], samples: new Float32Array([1, 2]) }),
}

/** Big values, by size in bytes. */
const LARGE: readonly (readonly [string, number, (bytes: number) => unknown])[] = [
  ['100 KB of text', 100_000, (bytes) => 'x'.repeat(bytes)],
  ['4 MB of samples', 4 * MB, (bytes) => new Int16Array(bytes / 2).map((_, i) => i % 30_000)],
  ['64 MB', 64 * MB, (bytes) => Buffer.alloc(bytes, 'tide')],
]

/** Cases for every kind of value up to a size. */
export function valueCases(maxValueBytes: number = Number.POSITIVE_INFINITY): TierCase[] {
  const kinds = Object.entries(VALUES).map(([what, make]): TierCase => ({
    name: `every-value-everywhere: ${what}`,
    run: async (tier, clock) => {
      await tier.put(entryOf(clock, 'values', 'a', make()))
      await tier.put(entryOf(clock, 'values', 'b', { inside: make() }))
      assertSame(await valueOf(tier, 'values', 'a'), make())
      assertSame(await valueOf(tier, 'values', 'b'), { inside: make() })
    },
  }))
  const large = LARGE.filter(([, bytes]) => bytes <= maxValueBytes).map(([what, bytes, make]): TierCase => ({
    name: `every-value-everywhere: ${what}`,
    run: async (tier, clock) => {
      const value = make(bytes)
      await tier.put(entryOf(clock, 'values', 'large', value))
      const found = await valueOf(tier, 'values', 'large')
      if (Buffer.isBuffer(value)) assert.ok(Buffer.isBuffer(found) && found.equals(value))
      else assertSame(found, value)
    },
  }))
  return [...kinds, ...large]
}

/** Strict equality of kind and content; a Buffer is not just any Uint8Array. */
function assertSame(actual: unknown, expected: unknown): void {
  assert.deepStrictEqual(actual, expected)
  assert.equal(Buffer.isBuffer(actual), Buffer.isBuffer(expected))
}
