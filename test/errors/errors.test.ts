import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TidemarkError, isTidemarkError } from 'tidemark'
import type * as Errors from '../../src/errors.ts'
import { ERROR_HINTS, describe as render, invalidOption, refuseUnknown } from '../../src/errors.ts'

const caught = (act: () => unknown): TidemarkError => {
  try {
    act()
  } catch (error) {
    return error as TidemarkError
  }
  throw new Error('nothing was thrown')
}

describe('TidemarkError', () => {
  it('has its code, the hint of the code, the cause, and facts nobody can change', () => {
    const cause = new Error('ECONNRESET')
    const error = new TidemarkError('tier-busy', 'locked', { cause, data: { path: 'x' } })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'TidemarkError',
      code: 'tier-busy',
      message: 'locked',
      cause,
      data: { path: 'x' },
    })
    expect(error.hint).toBe(ERROR_HINTS['tier-busy'])
    expect(Object.isFrozen(error.data)).toBe(true)
    expect(String(error)).toBe('TidemarkError: locked')
  })

  it('has no cause where there is none, and a hint of its own where one is given', () => {
    const error = new TidemarkError('closed', 'over', { hint: 'make a new one' })
    expect('cause' in error).toBe(false)
    expect(error.hint).toBe('make a new one')
    expect(error.data).toEqual({})
  })

  it('every code has a sentence for the operator', () => {
    for (const [code, hint] of Object.entries(ERROR_HINTS)) {
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/)
      expect(hint, code).toMatch(/^[A-Z].{20,}\.$/)
    }
  })
})

describe('isTidemarkError', () => {
  it('knows its own by code', () => {
    const error = new TidemarkError('closed', 'over')
    expect(isTidemarkError(error)).toBe(true)
    expect(isTidemarkError(error, 'closed')).toBe(true)
    expect(isTidemarkError(error, 'tier-full')).toBe(false)
  })

  it('knows those of another copy of the package', async () => {
    const copy = (await import(`${new URL('../../src/errors.ts', import.meta.url).href}?copy`)) as typeof Errors
    const foreign = new copy.TidemarkError('closed', 'over')
    expect(foreign).not.toBeInstanceOf(TidemarkError)
    expect(isTidemarkError(foreign, 'closed')).toBe(true)
  })

  it('takes nothing else for one', () => {
    const alike = { name: 'TidemarkError', code: 'closed' }
    for (const other of [
      undefined,
      null,
      'closed',
      alike,
      new Error('closed'),
      Object.assign(new Error('x'), { code: 'closed' }),
    ])
      expect(isTidemarkError(other)).toBe(false)
  })
})

describe('messages', () => {
  it('name the option, what was expected and what came', () => {
    const error = invalidOption('memory.maxEntries', 'a whole number from 1', -3)
    expect(error.message).toBe('Expected `memory.maxEntries` to be a whole number from 1, got number -3.')
    expect(error.data).toEqual({ option: 'memory.maxEntries', expected: 'a whole number from 1' })
  })

  it('an unknown option is named with those that exist', () => {
    const error = caught(() => refuseUnknown('sqlite()', { path: 'x', pth: 'y' }, ['path', 'maxBytes']))
    expect(error.code).toBe('unknown-option')
    expect(error.message).toBe('Unknown option `pth` for sqlite(). It takes: `path`, `maxBytes`.')
    expect(error.data).toEqual({ option: 'pth', where: 'sqlite()' })
  })

  it.for(['data/cache.db', 5_000, true, null, ['x'], () => 1] as unknown as object[])(
    '%j in place of the options is told as such',
    (wrong) => {
      const error = caught(() => refuseUnknown('sqlite()', wrong, ['path']))
      expect(error.code).toBe('invalid-option')
      expect(error.message).toContain('sqlite()')
      expect(error.message).toContain(`got ${render(wrong)}`)
    },
  )

  it('render any value shortly, and never throw', () => {
    expect(render('secret'.repeat(20))).toBe('a string of 120 characters')
    expect(render(new Map())).toBe('a Map')
    expect(render([1, 2])).toBe('an array of 2')
    expect(render(Object.create(null))).toBe('an object')
    expect(render({ constructor: 5 })).toBe('an object')
    expect(render({ constructor: null })).toBe('an object')
    expect(render(12n)).toBe('bigint 12')
    expect(render(-0)).toBe('number 0')
    expect(render(Symbol('s'))).toBe('a symbol')
    fc.assert(
      fc.property(
        fc.anything({
          withNullPrototype: true,
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
        }),
        (value) => {
          const text = render(value)
          expect(text.length).toBeLessThan(400)
        },
      ),
    )
  })
})
