import { createTidemark, memory, sqlite, ttl } from 'tidemark'
import { FakeClock, chaos } from 'tidemark/testing'
import { expect, it } from 'vitest'

it('a tier that failed once is looked at again by itself: without traffic it does not stay suspect [proxies 24]', async () => {
  const clock = new FakeClock()
  const below = chaos(sqlite({ path: ':memory:' }))
  await using tide = createTidemark({ tiers: [memory(), below], clock })
  const status = tide.resource({ name: 'status', load: (unit: string) => unit, freshness: ttl('1m') })
  below.fail('get', { times: 1 })
  await status.get('a')
  expect((await tide.tiers())[1]?.state).toBe('suspect')
  await clock.advance('1s')
  expect((await tide.tiers())[1]).toMatchObject({ state: 'up', failures: { reads: 0, writes: 0 } })
})
