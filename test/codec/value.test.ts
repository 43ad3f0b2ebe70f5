import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTidemarkError, type TidemarkError } from 'tidemark'
import { FORMAT, decodeValue, encodeValue } from '../../src/codec/value.ts'
import { binary, plain, storable, tagged } from './storable.ts'

const roundTrip = (value: unknown): unknown => {
  const { format, data } = encodeValue(value)
  return decodeValue(format, data)
}
const same = (value: unknown): void => assert.deepStrictEqual(roundTrip(value), value)

const caught = (act: () => unknown): TidemarkError => {
  try {
    act()
  } catch (error) {
    return error as TidemarkError
  }
  throw new Error('nothing was thrown')
}

describe('every value comes back as it was', () => {
  it('plain JSON stays plain JSON, for a person or SQL to read', () => {
    fc.assert(
      fc.property(plain, (value) => {
        const { format, data } = encodeValue(value)
        if (format === FORMAT.json) expect(data).toBe(JSON.stringify(value))
        else expect(JSON.stringify(value), 'but for names with an escape').toContain('\\')
        same(value)
      }),
      { numRuns: 500 },
    )
  })

  it('what JSON cannot say is tagged', () => {
    fc.assert(fc.property(tagged, same), { numRuns: 1_000 })
    for (const value of [undefined, Number.NaN, -0, 1n, new Date(5), new Map(), new Set(), { $: 1 }, [undefined]])
      expect(encodeValue(value).format).toBe(FORMAT.tagged)
  })

  it('binary parts follow as bytes, in memory of their own', () => {
    fc.assert(fc.property(storable, same), { numRuns: 1_000 })
    fc.assert(
      fc.property(binary, (value) => {
        expect(encodeValue(value).format).toBe(FORMAT.binary)
        const back = roundTrip({ samples: value }) as { samples: ArrayBufferView }
        assert.deepStrictEqual(back.samples, value)
        expect(Buffer.isBuffer(back.samples)).toBe(Buffer.isBuffer(value))
        if (Buffer.isBuffer(back.samples) || !ArrayBuffer.isView(back.samples)) return
        expect(back.samples.buffer.byteLength).toBe(back.samples.byteLength)
      }),
      { numRuns: 300 },
    )
  })

  it('a view of a buffer is stored without what lies around it', () => {
    const around = new Uint8Array(10_000).fill(0x53)
    const { data } = encodeValue(around.subarray(100, 104))
    expect(data.length).toBeLessThan(100)
  })

  it('the order of maps, sets and properties is kept', () => {
    const map = new Map<unknown, unknown>([
      ['z', 1],
      ['a', 2],
      [-0, 3],
      [0n, 4],
    ])
    expect([...(roundTrip(map) as typeof map)]).toEqual([...map])
    expect([...(roundTrip(new Set([3, 1, 2])) as Set<number>)]).toEqual([3, 1, 2])
    expect(Object.keys(roundTrip({ z: 1n, a: 2, m: 3 }) as object)).toEqual(['z', 'a', 'm'])
  })

  it('a hole in an array comes back as undefined; an object without prototype as an ordinary one', () => {
    // oxlint-disable-next-line no-sparse-arrays
    assert.deepStrictEqual(roundTrip([1, , 3]), [1, undefined, 3])
    assert.deepStrictEqual(roundTrip(Object.assign(Object.create(null) as object, { a: 1 })), { a: 1 })
  })

  it('property names of any text are kept apart, whatever names were read before', () => {
    // V8 answers "\\" for a name that JSON writes with an escape once it has met that name in such an object.
    JSON.parse(String.raw`{"k":0,"\\":0}`)
    for (const name of ['"', '\n', '\0', '\ud800', '\\n', 'a\nb', '\x7f', '\u2028']) {
      same({ k: 1, [name]: 2 })
      same({ k: 1n, [name]: { [name]: new Set([1]) }, $: 3 })
    }
    expect(encodeValue({ text: 'a "quoted" line\n' }).format, 'only names are concerned').toBe(FORMAT.json)
  })

  it('a value that looks like a tag is a value', () => {
    for (const kind of ['n', 'i', 'u', 'b', 'd', 'm', 's', 'o', 'p', 'x']) {
      same({ $: kind, v: 5 })
      same([{ $: { $: kind, v: [], kind: 'Buffer', at: 0, bytes: 4 } }])
    }
  })

  it('nothing decoded touches a prototype', () => {
    const back = roundTrip(JSON.parse('{"__proto__": {"polluted": 1}, "d": 1}')) as object
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect('polluted' in {}).toBe(false)
    const tagged = roundTrip({ ...(JSON.parse('{"a": {"__proto__": {"polluted": 1}}}') as object), n: 1n }) as {
      a: object
    }
    expect(Object.getPrototypeOf(tagged.a)).toBe(Object.prototype)
    expect(Object.hasOwn(tagged.a, '__proto__')).toBe(true)
  })
})

describe('what would not come back as it is', () => {
  class Point {
    x = 1
  }
  class Day extends Date {}
  const own = { toJSON: () => 'something else' }
  const REFUSED: readonly (readonly [string, unknown])[] = [
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['an instance', new Point()],
    ['an instance of a class over Date', new Day()],
    ['an instance of a class over Map', new (class Index extends Map {})()],
    ['an Error', new Error('x')],
    ['a RegExp', /x/],
    ['a URL', new URL('http://x')],
    ['a Promise', Promise.resolve(1)],
    ['a WeakMap', new WeakMap()],
    ['a boxed number', Object(1) as unknown],
    ['shared memory', new SharedArrayBuffer(4)],
    ['a view of shared memory', new Uint8Array(new SharedArrayBuffer(4))],
    ['a typed array of a class of its own', new (class Samples extends Int16Array {})(2)],
    ['an object that renders itself', own],
  ]

  it.for(REFUSED)('%s is refused, at any depth, naming the place', ([, value]) => {
    for (const [wrapped, place] of [
      [value, '$'],
      [{ deep: [1, { it: value }] }, '$.deep[1].it'],
      [{ deep: [1n, value] }, '$.deep[1]'],
      [new Map([['k', value]]), '$(Map)[1]'],
      [new Set([value]), '$(Set)'],
    ] as const) {
      const error = caught(() => encodeValue(wrapped))
      expect(isTidemarkError(error, 'invalid-value')).toBe(true)
      if (!(ArrayBuffer.isView(value) && error.data['path'] === undefined))
        expect(error.message).toContain(` at ${place}:`)
    }
  })

  it('a value that holds itself, or is nested beyond what a stack can walk', () => {
    const circle: Record<string, unknown> = {}
    circle['self'] = { circle }
    const map = new Map<string, unknown>()
    map.set('self', map)
    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = [deep]
    for (const value of [circle, map, deep, { big: 1n, circle }]) {
      const error = caught(() => encodeValue(value))
      expect(isTidemarkError(error, 'invalid-value')).toBe(true)
      expect(error.message).toContain('circular')
    }
  })

  it('what a getter throws is not swallowed', () => {
    const failing = {
      get a(): number {
        throw new TypeError('getter')
      },
    }
    expect(() => encodeValue(failing)).toThrow(new TypeError('getter'))
  })
})

describe('what was not written here', () => {
  const json =
    (text: string): (() => unknown) =>
    () =>
      decodeValue(FORMAT.tagged, text)
  const withBytes = (text: string, bytes = Buffer.from([1, 2, 3, 4])): (() => unknown) => {
    const head = Buffer.from(text)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(head.byteLength)
    return () => decodeValue(FORMAT.binary, Buffer.concat([length, head, bytes]))
  }

  it.for<readonly [string, () => unknown]>([
    ['an unknown format', () => decodeValue(3, '1')],
    ['text under the binary format', () => decodeValue(FORMAT.binary, '1')],
    ['bytes under the text format', () => decodeValue(FORMAT.json, Buffer.from('1'))],
    ['no JSON', json('{')],
    ['an unknown tag', json('{"$":"x"}')],
    ['a tag that is no text', json('{"$":{}}')],
    ['a BigInt that is none', json('{"$":"i","v":"abc"}')],
    ['an unknown kind of binary', withBytes('{"$":"b","kind":"Int7Array","at":0,"bytes":4}')],
    ['a kind from a prototype', withBytes('{"$":"b","kind":"constructor","at":0,"bytes":4}')],
    ['a binary part behind the end', withBytes('{"$":"b","kind":"Buffer","at":2,"bytes":4}')],
    ['a binary part before the start', withBytes('{"$":"b","kind":"Buffer","at":-1,"bytes":2}')],
    ['half an element', withBytes('{"$":"b","kind":"Int32Array","at":0,"bytes":3}')],
    ['bytes without a length', () => decodeValue(FORMAT.binary, new Uint8Array(3))],
    ['no bytes', () => decodeValue(FORMAT.binary, new Uint8Array())],
  ])('%s is refused', ([, decode]) => {
    expect(decode).toThrow(Error)
  })

  it('a binary encoding cut anywhere is refused', () => {
    const { data } = encodeValue({ at: new Date(5), samples: new Int16Array([1, 2, 3]), text: 'x'.repeat(20) })
    const bytes = data as Uint8Array
    for (let end = 0; end < bytes.byteLength; end++)
      expect(() => decodeValue(FORMAT.binary, bytes.subarray(0, end)), `cut at ${end}`).toThrow(Error)
    expect(decodeValue(FORMAT.binary, bytes)).toEqual({
      at: new Date(5),
      samples: new Int16Array([1, 2, 3]),
      text: 'x'.repeat(20),
    })
  })
})
