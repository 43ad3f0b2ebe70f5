// C1: copies between tiers. A copy upward keeps its times, never brings back what was removed, never replaces a newer one.

import { join } from 'node:path'
import { expect, it } from 'vitest'
import { memory, sqlite, ttl } from 'tidemark'
import { FakeClock, chaos } from 'tidemark/testing'
import { testFolder } from '../folder.ts'
import { deferred, settled, subject } from './stacks.ts'

const folder = testFolder()

it('promotion-never-resurrects: a copy upward that started before a delete does not land after it', async () => {
  for (const act of ['delete', 'invalidate', 'set', 'scope', 'tag'] as const) {
    const slow = chaos(memory())
    const clock = new FakeClock()
    const { tide } = subject({ tiers: [memory(), { tier: slow, budget: '10s' }], clock })
    let version = 1
    const users = tide.resource({
      name: 'users',
      load: async (_key: string) => `v${version}`,
      freshness: ttl('1h'),
      scope: () => 's',
      tags: () => ['t'],
    })
    await users.get('a')
    await tide.clear()
    version = 2
    // Only the lower tier has it: put there behind the cache's back.
    const now = clock.now()
    const times = {
      loadedAt: now,
      freshUntil: now + 1e6,
      staleUntil: now + 1e6,
      errorUntil: now + 1e6,
      keepUntil: now + 1e6,
    }
    await slow.put({ key: { name: 'users', id: 'a' }, value: 'v1', ...times, scope: 's', tags: ['t'] })
    slow.hang('get', { times: 1 })
    const early = users.get('a')
    await settled()
    slow.fail('get', { times: 0 })
    if (act === 'delete') await users.delete('a')
    else if (act === 'invalidate') await users.invalidate('a')
    else if (act === 'set') await users.set('a', 'v2')
    else if (act === 'scope') await tide.scope('s').clear()
    else await tide.deleteTag('t')
    slow.heal()
    await early
    await settled()
    expect(await users.get('a'), act).toBe('v2')
    expect(users.peek('a'), act).toBe('v2')
  }
})

it('promotion-never-resurrects: it never replaces a newer entry', async () => {
  const clock = new FakeClock()
  const below = memory()
  const { tide } = subject({ tiers: [memory(), { tier: chaos(below), budget: '10s' }], clock })
  const load = deferred<string>()
  const users = tide.resource({ name: 'users', load: (_key: string) => load.promise, freshness: ttl('1h') })
  const now = clock.now()
  const old = {
    loadedAt: now - 5000,
    freshUntil: now + 1e6,
    staleUntil: now + 1e6,
    errorUntil: now + 1e6,
    keepUntil: now + 1e6,
  }
  const refreshed = users.get('a', { refresh: true })
  await settled()
  await below.put({ key: { name: 'users', id: 'a' }, value: 'old', ...old }, await below.lease())
  const promoted = users.get('a')
  load.resolve('new')
  await Promise.all([refreshed, promoted])
  await settled()
  expect(await users.get('a')).toBe('new')
})

it('promotion-keeps-expiry: the promoted copy has the same absolute times', async () => {
  const clock = new FakeClock()
  const path = join(folder, 'expiry.db')
  const options = {
    name: 'users',
    load: async (_key: string) => 'v',
    freshness: ttl('1h'),
    staleIfError: '1d',
  } as const
  const first = subject({ tiers: [memory(), sqlite({ path })], clock })
  await first.tide.resource(options).get('a')
  await first.tide.close()
  await clock.advance('30m')
  const second = subject({ tiers: [memory(), sqlite({ path })], clock })
  const users = second.tide.resource(options)
  expect((await users.read('a')).tier).toBe('sqlite')
  expect((await users.read('a')).tier).toBe('memory')
  const { tiers } = await users.explain('a')
  const [above, below] = tiers.map(({ tier, ...times }) => ({ ...times, in: tier.length > 0 }))
  expect(above).toEqual(below)
  expect(above?.freshUntil).toBe(clock.now() + 30 * 60_000)
  await clock.advance('30m')
  expect((await users.read('a')).reason).toBe('loaded')
})
