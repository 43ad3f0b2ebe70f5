import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { Backoff } from '../../src/load/backoff.ts'

const NOW = 1_900_000_000_000

it('leaves a key alone for longer and longer, up to 30 s, never for less than half', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), (failures) => {
      const backoff = new Backoff()
      let retryAt = 0
      for (let i = 0; i < failures; i++) retryAt = backoff.failed('a', NOW, new Error('down'))
      const full = Math.min(1_000 * 2 ** (failures - 1), 30_000)
      expect(retryAt - NOW).toBeGreaterThanOrEqual(full / 2)
      expect(retryAt - NOW).toBeLessThanOrEqual(full)
    }),
  )
})

it('does not send everyone back at the same moment', () => {
  const backoff = new Backoff()
  const moments = new Set(Array.from({ length: 200 }, (_, i) => backoff.failed(`k${i}`, NOW, 'down')))
  expect(moments.size).toBeGreaterThan(50)
})

it('holds until the moment it named, exactly, each key by itself', () => {
  const backoff = new Backoff()
  const retryAt = backoff.failed('a', NOW, 'down')
  expect(backoff.holding('a', retryAt - 1)).toMatchObject({ error: 'down', failures: 1, retryAt })
  expect(backoff.holding('a', retryAt)).toBeUndefined()
  expect(backoff.last('a'), 'but it is remembered').toMatchObject({ error: 'down' })
  expect(backoff.holding('b', NOW)).toBeUndefined()
})

it('a success forgets, and the next failure starts over', () => {
  const backoff = new Backoff()
  for (let i = 0; i < 10; i++) backoff.failed('a', NOW, 'down')
  backoff.succeeded('a')
  expect(backoff.last('a')).toBeUndefined()
  expect(backoff.failed('a', NOW, 'down') - NOW).toBeLessThanOrEqual(1_000)
})

it('is bounded: the keys that failed longest ago are forgotten first', () => {
  const backoff = new Backoff()
  for (let i = 0; i < 10_050; i++) backoff.failed(`k${i}`, NOW, 'down')
  backoff.failed('k60', NOW, 'down')
  backoff.failed('new', NOW, 'down')
  expect(backoff.size).toBe(10_000)
  expect(backoff.last('k49')).toBeUndefined()
  expect(backoff.last('k60')).toBeDefined()
})
