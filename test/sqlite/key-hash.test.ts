import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { keyId } from '../../src/key.ts'
import { KeyHash } from '../../src/tier/sqlite/key-hash.ts'

const seed = fc.integer({ min: 0, max: 2 ** 53 - 1 })
const part = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.integer())
const ids = fc.uniqueArray(fc.oneof(part, fc.array(part, { maxLength: 4 })).map(keyId), {
  minLength: 2,
  maxLength: 200,
})

it('different keys have different hashes, all of them safe integers', () => {
  fc.assert(
    fc.property(seed, fc.nat(1_000), ids, (fileSeed, name, keys) => {
      const hash = new KeyHash(fileSeed)
      const hashes = keys.map((key) => hash.of(name, key))
      expect(hashes.every((it) => Number.isSafeInteger(it) && it >= 0)).toBe(true)
      expect(new Set(hashes).size).toBe(keys.length)
    }),
    { numRuns: 300 },
  )
})

it.for([
  ['numbers at the end', (n: number) => keyId(`unit:${100 + n}`)],
  ['tuples that end with a number', (n: number) => keyId(['unit', 100 + n])],
  ['tuples that end with a string', (n: number) => keyId(['unit', `w${100 + n}`])],
] as const)('%s: a hundred keys in a row are neighbours', ([, idOf]) => {
  fc.assert(
    fc.property(seed, (fileSeed) => {
      const hash = new KeyHash(fileSeed)
      const hashes = Array.from({ length: 100 }, (_, n) => hash.of(1, idOf(n)))
      expect(Math.max(...hashes) - Math.min(...hashes)).toBeLessThan(2 ** 21)
      // In the order of their keys, too.
      expect(hashes).toEqual(hashes.toSorted((a, b) => a - b))
    }),
  )
})

it('the seed of the file decides which keys meet', () => {
  const keys = Array.from({ length: 100 }, (_, n) => `key-${n * 1_000}`)
  const hashes = [1, 2].map((fileSeed) => keys.map((key) => new KeyHash(fileSeed).of(1, key)))
  expect(hashes[0]?.filter((it, i) => it === hashes[1]?.[i])).toEqual([])
})
