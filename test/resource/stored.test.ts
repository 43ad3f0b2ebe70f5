import { createTidemark, isTidemarkError, memory, sqlite, ttl } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { expect, it, vi } from 'vitest'

function open() {
  const clock = new FakeClock()
  const load = vi.fn<(unit: string) => string>((unit) => `loaded ${unit}`)
  const tide = createTidemark({ tiers: [memory(), sqlite({ path: ':memory:' })], clock })
  const status = tide.resource({
    name: 'status',
    scope: (unit: string) => unit,
    load,
    freshness: ttl('30s'),
    keep: '1h',
  })
  return { clock, load, tide, status }
}

it('stored gives what is fresh and never asks the source', async () => {
  const { clock, load, tide, status } = open()
  expect(await status.stored('a')).toBeUndefined()
  await status.set('a', 'one')
  expect(await status.stored('a')).toBe('one')
  await clock.advance(30_000)
  expect(await status.stored('a')).toBeUndefined()
  expect(await status.stored('a', { stale: true })).toBe('one')
  expect(load).not.toHaveBeenCalled()
  await tide.close()
})

it('count counts stored entries, also the stale ones that are kept, by scope or all', async () => {
  const { clock, tide, status } = open()
  await Promise.all(['a', 'b', 'c'].map((unit) => status.set(unit, unit)))
  await clock.advance(30_000)
  expect(await status.count()).toBe(3)
  expect(await status.count({ scope: 'b' })).toBe(1)
  expect(await status.count({ scope: 'x' })).toBe(0)
  await tide.close()
})

it('a value set with the time the source said so ages from then', async () => {
  const { clock, tide, status } = open()
  await status.set('a', 'old', { loadedAt: clock.now() - 20_000 })
  expect(await status.read('a')).toMatchObject({ value: 'old', age: 20_000, state: 'fresh' })
  await clock.advance(10_000)
  expect(await status.stored('a')).toBeUndefined()
  await status.set('b', 'gone', { loadedAt: clock.now() - 3_600_000 })
  expect(await status.read('b')).toMatchObject({ value: 'loaded b', reason: 'loaded' })
  await tide.close()
})

it('a time in the future is refused', async () => {
  const { clock, tide, status } = open()
  const error: unknown = await status.set('a', 'x', { loadedAt: clock.now() + 1 }).catch((it: unknown) => it)
  expect(isTidemarkError(error, 'invalid-option') && error.message).toContain('loadedAt')
  await tide.close()
})
