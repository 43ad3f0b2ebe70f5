import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTidemarkError, type KeyInput } from 'tidemark'
import { keyId, keyOfId, startsPlain } from '../../src/key.ts'

/** Any UTF-16: half surrogates, NUL and the characters of JSON more often than chance would have them. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(...['"', '[', ']', ',', '\\', '\0', '\ud800', '\udfff', ':', 'a', '1', 'é', 'e\u0301', ' ']),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
    ),
    { maxLength: 8 },
  )
  .map((units) => units.join(''))
const part = fc.oneof(
  text,
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
  fc.integer({ min: -3, max: 3 }).filter((n) => !Object.is(n, -0)),
)
const tuple = fc.array(part, { maxLength: 4 })
const key: fc.Arbitrary<KeyInput> = fc.oneof(text, tuple)

const same = (a: unknown, b: unknown): boolean => {
  if (!Array.isArray(a) || !Array.isArray(b)) return Object.is(a, b)
  return a.length === b.length && a.every((it, i) => Object.is(it, b[i]))
}

describe('canonical ids', () => {
  it('two keys share an id exactly when they are the same key', () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(keyId(a) === keyId(b)).toBe(same(a, b))
      }),
      { numRuns: 2_000 },
    )
  })

  it('a tuple and any string made of its parts are two keys', () => {
    fc.assert(
      fc.property(tuple, fc.constantFrom(...[',', ':', '', '","', '\0']), (parts, glue) => {
        expect(keyId(parts)).not.toBe(keyId(parts.join(glue)))
        expect(keyId(parts)).not.toBe(keyId(JSON.stringify(parts)))
        expect(keyId(parts)).not.toBe(keyId(keyId(parts)))
      }),
    )
  })

  it('the key comes back from its id', () => {
    fc.assert(
      fc.property(key, (it) => {
        expect(same(keyOfId(keyId(it)), it)).toBe(true)
      }),
      { numRuns: 1_000 },
    )
  })

  it('a lone number or boolean is the tuple of one', () => {
    for (const lone of [0, 1, -1.5, 1e300, true, false]) {
      expect(keyId(lone)).toBe(keyId([lone]))
      expect(keyOfId(keyId(lone))).toEqual([lone])
    }
    expect(keyId(1)).not.toBe(keyId('1'))
    expect(keyId(true)).not.toBe(keyId('true'))
  })

  it('0 and -0 are one key, as in a Map', () => {
    expect(keyId(-0)).toBe(keyId(0))
    expect(keyId(['a', -0])).toBe(keyId(['a', 0]))
  })

  it('is text that every store keeps: well-formed, without NUL', () => {
    fc.assert(
      fc.property(key, (it) => {
        const id = keyId(it)
        expect(id.isWellFormed()).toBe(true)
        expect(id).not.toContain('\0')
      }),
      { numRuns: 1_000 },
    )
  })

  it('an everyday string stands for itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (it) => {
        fc.pre(startsPlain(it))
        expect(keyId(it)).toBe(it)
      }),
    )
  })
})

describe('what is no key', () => {
  const codeOf = (input: unknown): unknown => {
    try {
      return keyId(input as KeyInput)
    } catch (error) {
      return isTidemarkError(error) ? error.code : error
    }
  }

  it.for([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    undefined,
    null,
    1n,
    {},
    new Date(5),
    Symbol('s'),
  ])('%s is refused, alone and in a tuple', (wrong) => {
    expect(codeOf(wrong)).toBe('invalid-key')
    expect(codeOf(['a', wrong])).toBe('invalid-key')
  })

  it('a tuple in a tuple, a hole in a tuple', () => {
    expect(codeOf([['a']])).toBe('invalid-key')
    // oxlint-disable-next-line no-sparse-arrays
    expect(codeOf([, 'a'])).toBe('invalid-key')
  })

  it('the message says what came', () => {
    expect(() => keyId(['a', Number.NaN])).toThrow(/string, a finite number or a boolean, got number NaN/)
  })
})
