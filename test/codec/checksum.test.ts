import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { checksum, checksumInSlices, type Guarded } from '../../src/codec/checksum.ts'

const time = fc.integer({ min: 0, max: 2 ** 53 - 1 })
const guarded: fc.Arbitrary<Guarded> = fc.record({
  loadedAt: time,
  freshUntil: time,
  staleMs: time,
  errorMs: time,
  keepMs: time,
  format: fc.nat(10),
  scope: fc.option(fc.string({ maxLength: 8 })),
  extra: fc.option(fc.string({ maxLength: 8 })),
})
const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 })

it('any flipped bit of the value shows', () => {
  fc.assert(
    fc.property(bytes, guarded, fc.nat(), (data, beside, at) => {
      const flipped = Uint8Array.from(data)
      const bit = at % (data.length * 8)
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7))
      expect(checksum(flipped, beside)).not.toBe(checksum(data, beside))
    }),
    { numRuns: 1_000 },
  )
})

it('any flipped bit of any time shows', () => {
  const field = fc.constantFrom('loadedAt', 'freshUntil', 'staleMs', 'errorMs', 'keepMs')
  fc.assert(
    fc.property(bytes, guarded, field, fc.integer({ min: 0, max: 52 }), (data, beside, name, bit) => {
      const flipped = Number(BigInt(beside[name]) ^ (1n << BigInt(bit)))
      expect(checksum(data, { ...beside, [name]: flipped })).not.toBe(checksum(data, beside))
    }),
    { numRuns: 2_000 },
  )
})

it('another format shows', () => {
  fc.assert(
    fc.property(bytes, guarded, fc.nat(255), (data, beside, format) => {
      fc.pre(format !== beside.format)
      expect(checksum(data, { ...beside, format })).not.toBe(checksum(data, beside))
    }),
  )
})

it('times that changed places show', () => {
  fc.assert(
    fc.property(bytes, guarded, (data, beside) => {
      fc.pre(beside.staleMs !== beside.errorMs)
      const swapped = { ...beside, staleMs: beside.errorMs, errorMs: beside.staleMs }
      expect(checksum(data, swapped)).not.toBe(checksum(data, beside))
    }),
  )
})

it('another scope, another tag, or none, shows', () => {
  fc.assert(
    fc.property(bytes, guarded, (data, beside) => {
      for (const part of ['scope', 'extra'] as const) {
        expect(checksum(data, { ...beside, [part]: `${beside[part] ?? ''}x` })).not.toBe(checksum(data, beside))
      }
    }),
  )
})

it('a long text counts as its bytes in UTF-8: they may come from a file, in slices', async () => {
  const beside = { loadedAt: 1, freshUntil: 2, staleMs: 3, errorMs: 4, keepMs: 5, format: 0, scope: null, extra: null }
  const text = 'é 🌊'.repeat(1_000)
  expect(checksum(text, beside)).toBe(checksum(Buffer.from(text), beside))
  expect(await checksumInSlices(Buffer.from(text), beside)).toBe(checksum(text, beside))
})

it.for([1, 2, 7, 60, 127, 128, 129, 500])(
  'a text of %d characters: any that is another, or missing, shows',
  (length) => {
    // One or two bytes each in UTF-8.
    const unit = fc.nat(0x7ff).map((code) => String.fromCharCode(code))
    const texts = fc.string({ unit, minLength: length, maxLength: length })
    fc.assert(
      fc.property(texts, unit, fc.nat(), (text, other, at) => {
        const i = at % length
        const replaced = text.slice(0, i) + other + text.slice(i + 1)
        fc.pre(replaced !== text)
        const beside = {
          loadedAt: 1,
          freshUntil: 2,
          staleMs: 0,
          errorMs: 0,
          keepMs: 0,
          format: 0,
          scope: null,
          extra: null,
        }
        expect(checksum(replaced, beside)).not.toBe(checksum(text, beside))
        expect(checksum(text.slice(0, -1), beside)).not.toBe(checksum(text, beside))
      }),
    )
  },
)

it('taken in slices it is the same, and the event loop gets turns', async () => {
  const beside = { loadedAt: 1, freshUntil: 2, staleMs: 3, errorMs: 4, keepMs: 5, format: 0, scope: 's', extra: null }
  for (const length of [0, 1, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 5 * 2 ** 20]) {
    const data = new Uint8Array(length).map((_, i) => i * 31)
    let turns = 0
    let done = false
    const count = (): void => {
      turns++
      if (!done) setImmediate(count)
    }
    setImmediate(count)
    expect(await checksumInSlices(data, beside)).toBe(checksum(data, beside))
    done = true
    expect(turns).toBeGreaterThanOrEqual(Math.floor(length / 2 ** 20))
  }
})
