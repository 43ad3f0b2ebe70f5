import { createTidemark, memory, sqlite, ttl } from 'tidemark'
import { expect, it } from 'vitest'

it('a sync that began earlier and ends later does not replace the newer list', async () => {
  await using tide = createTidemark({ tiers: [memory(), sqlite({ path: ':memory:' })] })
  let count = 5
  const gates: (() => void)[] = []
  const events = tide.collection({
    name: 'events',
    probe: (unit: string) => ({ count: unit === 'u' ? count : 0 }),
    load: async (_unit, { from, to }) => {
      const items = Array.from({ length: to - from }, (_, i) => `item ${from + i}`)
      await new Promise<void>((resolve) => gates.push(resolve))
      return items
    },
    freshness: ttl('1h'),
  })
  const early = events.list('u')
  await expect.poll(() => gates.length).toBe(1)
  count = 7
  const late = events.list('u', { refresh: true })
  await expect.poll(() => gates.length).toBe(2)
  gates[1]?.()
  expect(await late).toHaveLength(7)
  gates[0]?.()
  expect(await early).toHaveLength(5)
  expect(await events.list('u')).toHaveLength(7)
  expect(await events.at('u', 6)).toBe('item 6')
})

it('however often a refresh is asked for, it costs two loads', async () => {
  await using tide = createTidemark({ tiers: [memory()] })
  let loads = 0
  const events = tide.collection({
    name: 'events',
    probe: (unit: string) => ({ count: unit.length * 2 }),
    load: async (_unit, { from, to }) => {
      loads++
      await new Promise((resolve) => setTimeout(resolve, 20))
      return Array.from({ length: to - from }, (_, i) => i)
    },
  })
  await Promise.all(Array.from({ length: 20 }, () => events.list('u', { refresh: true })))
  expect(loads).toBe(2)
})
