// Where secrets are found in a value. What a path cannot be followed through is sealed whole: better too much than too little.

import { describe, expect, it } from 'vitest'
import { isTidemarkError } from 'tidemark'
import { parseSecrets, secretPlaces } from '../../src/seal/places.ts'

const found = (value: unknown, ...paths: string[]): string[] =>
  secretPlaces(value, parseSecrets(paths, 'secrets')).map((place) => place.join('/'))

describe('paths', () => {
  it('that are there are found, others are no error', () => {
    expect(found({ password: 'p', user: 'u' }, 'password', 'token')).toEqual(['password'])
    expect(found({ a: { b: { c: 1 } } }, 'a.b.c', 'a.x.c', 'x.y')).toEqual(['a/b/c'])
    expect(found({ a: null, b: undefined }, 'a.b', 'b', 'b.c')).toEqual([])
    expect(found({ a: null, b: '' }, 'a', 'b')).toEqual(['a', 'b'])
    expect(found(null, 'password')).toEqual([])
  })

  it('* is every property and every item', () => {
    const value = { list: [{ token: 1 }, { other: 2 }, { token: 3 }], map: { x: { token: 4 } } }
    expect(found(value, 'list.*.token', 'map.*.token')).toEqual(['list/0/token', 'list/2/token', 'map/x/token'])
    expect(found([['a'], ['b']], '*.0')).toEqual(['0/0', '1/0'])
    expect(found({}, '*')).toEqual([])
  })

  it('seal whole what they cannot be followed through', () => {
    expect(found({ auth: 'user:pass' }, 'auth.password')).toEqual(['auth'])
    expect(found({ auth: new Map([['password', 1]]) }, 'auth.password')).toEqual(['auth'])
    expect(found({ auth: Buffer.from('p') }, 'auth.password')).toEqual(['auth'])
    expect(found([{ password: 1 }], 'password')).toEqual([''])
    expect(found('password', 'password')).toEqual([''])
    expect(found({ list: [{ password: 1 }] }, 'list.password')).toEqual(['list'])
    expect(found({ list: ['a'] }, 'list.1')).toEqual([])
  })

  it('only follow properties that a value has itself', () => {
    expect(found({}, 'constructor', 'toString', '__proto__', '__proto__.x')).toEqual([])
    expect(found(JSON.parse('{"__proto__":{"x":1}}'), '__proto__.x')).toEqual(['__proto__/x'])
    expect(found({ list: [1] }, 'list.length')).toEqual(['list'])
  })

  it('of which one lies in another are one', () => {
    expect(found({ a: { b: 1, c: 2 } }, 'a.b', 'a', 'a.c')).toEqual(['a'])
    expect(found({ a: 1 }, 'a', 'a', '*')).toEqual(['a'])
  })
})

it('what is no path is refused, with the option and what came', () => {
  for (const wrong of [[], 'password', false, null, {}, [''], ['a..b'], ['.a'], ['a.'], [7], [['a']]]) {
    const refusal = (): unknown => parseSecrets(wrong as never, 'resource.secrets')
    expect(refusal, JSON.stringify(wrong)).toThrow(/resource\.secrets/)
    try {
      refusal()
    } catch (error) {
      expect(isTidemarkError(error, 'invalid-option')).toBe(true)
    }
  }
  expect(parseSecrets(true, 'secrets')).toEqual([[]])
})
