import { listFrom, wholeFrom } from '@tidemark/serve'
import { expect, it } from 'vitest'

it('an empty variable is one that is not set', () => {
  expect([wholeFrom({ PORT: '' }, 'PORT', 8200, 65_535), wholeFrom({}, 'PORT', 8200, 65_535)]).toEqual([8200, 8200])
  expect([listFrom({}, 'UNITS'), listFrom({ UNITS: ' a, ,b,' }, 'UNITS')]).toEqual([[], ['a', 'b']])
})

it.for(['-1', '1.5', '70000', 'x', '1e3'])('%s is no port', (text) => {
  expect(() => wholeFrom({ PORT: text }, 'PORT', 8200, 65_535)).toThrow('PORT')
})
