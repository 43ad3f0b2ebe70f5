// What the old pool counted wrong; see lines.ts.

import { expect, it } from 'vitest'
import { memory, sqlite } from 'tidemark'
import { FakeClock, chaos } from 'tidemark/testing'
import { open } from './rig.ts'

it('what promotion pushes out of memory is counted [proxies S2]', async () => {
  const below = memory()
  const clock = new FakeClock()
  const { users } = open([memory({ maxEntries: 2 }), below], clock)
  const until = clock.now() + 1_000_000
  const times = { loadedAt: clock.now(), freshUntil: until, staleUntil: until, errorUntil: until, keepUntil: until }
  for (let i = 0; i < 5; i++) await below.put({ key: { name: 'users', id: `${i}` }, value: `${i}`, ...times })
  for (let i = 0; i < 5; i++) expect(await users.get(`${i}`)).toBe(`${i}`)
  expect(await users.stats()).toMatchObject({ hits: 5, misses: 0, evictions: { size: 3 } })
})

it('what leaves a tier below for want of room is counted, and its limit holds [proxies 32, S3]', async () => {
  const { users } = open([sqlite({ path: ':memory:', maxEntries: 5 })])
  for (let i = 0; i < 20; i++) await users.set(`${i}`, 'x')
  expect(await users.count()).toBe(5)
  expect((await users.stats()).evictions).toMatchObject({ size: 15 })
})

it('reading an expired entry is one miss [proxies S5]', async () => {
  const { users, clock } = open([memory(), memory()])
  await users.set('a', 'a')
  await clock.advance('2h')
  expect(await users.get('a')).toBe('LOADED')
  expect(await users.stats()).toMatchObject({ requests: 1, hits: 0, misses: 1, loads: 1 })
})

it('failures of a tier and of the source are counted as what they are; a request is one miss whatever fails [proxies S7]', async () => {
  const broken = chaos(memory())
  let isDown = false
  const load = async (): Promise<string> => {
    if (isDown) throw new Error('down')
    return 'LOADED'
  }
  const { users, tide, events } = open([memory(), broken], new FakeClock(), { load })
  broken.fail('get', { times: 1 })
  expect(await users.get('a')).toBe('LOADED')
  expect(await users.stats()).toMatchObject({ requests: 1, misses: 1, loads: 1, loadFailures: 0 })
  expect(events.filter(({ type }) => type === 'tier-failed')).toHaveLength(1)
  isDown = true
  await expect(users.get('b')).rejects.toThrow('down')
  expect(await users.stats()).toMatchObject({ requests: 2, misses: 2, loads: 2, loadFailures: 1 })
  expect((await tide.tiers())[1]?.state).not.toBe('open')
})
