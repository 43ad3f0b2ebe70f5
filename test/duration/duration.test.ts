import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTidemarkError } from 'tidemark'
import { durationMs } from '../../src/duration.ts'
import { describe as render } from '../../src/errors.ts'

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
/** Text of the characters durations are made of. */
const nearlyDuration = fc.array(fc.constantFrom(...Array.from('0159.smhdw -+e,\nS'))).map((chars) => chars.join(''))
const unit = fc.constantFrom(...(Object.keys(UNITS) as (keyof typeof UNITS)[]))

describe('durations', () => {
  it.for(Object.entries(UNITS))('1%s is %d ms', ([name, ms]) => {
    expect(durationMs(`1${name}`, 'option')).toBe(ms)
  })

  it('any whole number of any unit is that many times the unit', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), unit, (n, name) => {
        expect(durationMs(`${n}${name}`, 'option')).toBe(n * UNITS[name])
      }),
    )
  })

  it('any fraction is a fraction of the unit', () => {
    fc.assert(
      fc.property(fc.nat(9_999), fc.integer({ min: 1, max: 999 }), unit, (whole, thousandths, name) => {
        const text = `${whole}.${String(thousandths).padStart(3, '0')}`
        expect(durationMs(`${text}${name}`, 'option')).toBe(Number(text) * UNITS[name])
      }),
    )
  })

  it('numbers are milliseconds, also 0, fractions and Infinity', () => {
    for (const ms of [0, 1, 0.5, 1e15, Number.POSITIVE_INFINITY]) expect(durationMs(ms, 'option')).toBe(ms)
  })
})

describe('what is no duration', () => {
  const refusal = (duration: unknown): unknown => {
    try {
      return durationMs(duration, 'resource.keep')
    } catch (error) {
      return error
    }
  }

  const WRONG = [
    ...[-1, -0.1, Number.NaN, Number.NEGATIVE_INFINITY, 5n, true, null, undefined, {}, [], ['5s'], new Date(5)],
    ...[
      '',
      '5',
      's',
      '5 s',
      ' 5s',
      '5s ',
      '5S',
      '5sec',
      '-5s',
      '+5s',
      '5,5s',
      '.5s',
      '5.s',
      '1e3s',
      'Infinity',
      '5s5m',
    ],
    ...['5s\n', '\n5s', '٥s', '0x5s'],
  ]

  it('is refused with a code, the option named and what came', () => {
    for (const wrong of WRONG) {
      const error = refusal(wrong) as Error & { data: unknown }
      expect(isTidemarkError(error, 'invalid-duration'), render(wrong)).toBe(true)
      expect(error.message).toMatch(/^Expected `resource\.keep` to be a duration, got /)
      expect(error.data).toEqual({ option: 'resource.keep' })
    }
    expect((refusal('5 s') as Error).message).toContain('got "5 s"')
    expect((refusal(-1) as Error).message).toContain('got number -1')
  })

  it('no text but digits with a unit is taken for one', () => {
    fc.assert(
      fc.property(nearlyDuration, (text) => {
        fc.pre(!/^\d+(\.\d+)?(ms|s|m|h|d|w)$/.test(text))
        expect(isTidemarkError(refusal(text), 'invalid-duration')).toBe(true)
      }),
    )
  })
})
