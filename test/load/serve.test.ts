import { expect, it } from 'vitest'
import { createTidemark, memory, ttl } from 'tidemark'
import { FakeClock } from 'tidemark/testing'

it('a stale value whose window ends while the source is slow is not handed out: the reader waits for the source', async () => {
  const clock = new FakeClock()
  await using tide = createTidemark({ tiers: [memory()], clock })
  const load = Promise.withResolvers<string>()
  const users = tide.resource<string, string>({
    name: 'users',
    load: () => load.promise,
    freshness: ttl('1s'),
    staleIfError: '10s',
    timeout: { soft: '300ms' },
  })
  await users.set('k', 'old')
  await clock.advance(10_900)
  const reading = users.read('k')
  await clock.advance('300ms')
  load.resolve('new')
  expect(await reading).toMatchObject({ value: 'new', state: 'fresh' })
})
