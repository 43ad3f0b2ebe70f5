import { describe, expect, it } from 'vitest'
import { memory, sqlite, ttl } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { deferred, settled, subject } from '../contract/stacks.ts'

function open() {
  const { tide, clock } = subject({ tiers: [memory(), sqlite({ path: ':memory:' })], clock: new FakeClock() })
  const source = { down: false, gate: undefined as Promise<unknown> | undefined }
  const users = tide.resource({
    name: 'users',
    load: async (key: string) => {
      await source.gate
      if (source.down) throw new Error('down')
      return key
    },
    tags: () => ['t'],
    freshness: ttl('10s'),
    staleWhileRevalidate: '10s',
    staleIfError: '20s',
    keep: '30s',
  })
  return { tide, clock, users, source }
}

describe('explain', () => {
  it('says for every state why, where, and what a read would do', async () => {
    const { clock, users } = open()
    expect(await users.explain('a')).toEqual({
      name: 'users',
      key: 'a',
      now: clock.now(),
      state: 'absent',
      reason: 'In no tier; a read asks the source.',
      tiers: [
        { tier: 'memory', state: 'absent' },
        { tier: 'sqlite', state: 'absent' },
      ],
      loading: undefined,
      lastFailure: undefined,
      nextRefreshAt: undefined,
    })
    await users.get('a')
    const now = clock.now()
    const fresh = await users.explain('a')
    expect(fresh).toMatchObject({
      state: 'fresh',
      reason: 'Fresh in memory for 10000 ms more.',
      nextRefreshAt: now + 10_000,
    })
    expect(fresh.tiers).toEqual(
      ['memory', 'sqlite'].map((tier) => ({
        tier,
        state: 'fresh',
        loadedAt: now,
        freshUntil: now + 10_000,
        staleUntil: now + 20_000,
        errorUntil: now + 30_000,
        keepUntil: now + 40_000,
        invalidatedAt: undefined,
        tags: ['t'],
      })),
    )
    await clock.advance('10s')
    expect(await users.explain('a')).toMatchObject({
      state: 'stale',
      reason: 'Stale in memory because its time is over; a read gets it at once and loads behind it.',
    })
    await clock.advance('10s')
    expect(await users.explain('a')).toMatchObject({
      state: 'fallback',
      reason: 'Stale in memory because its time is over; a read asks the source and gets it only if that fails.',
    })
    await clock.advance('10s')
    expect(await users.explain('a')).toMatchObject({
      state: 'expired',
      reason: 'Kept in memory, but no longer handed out because its time is over; a read asks the source.',
    })
    await clock.advance('10s')
    expect(await users.explain('a')).toMatchObject({ state: 'absent' })
  })

  it('tells an invalidation from the end of its time', async () => {
    const { clock, users } = open()
    await users.get('a')
    await users.invalidate('a')
    await clock.advance('2s')
    const { tiers, ...explained } = await users.explain('a')
    expect(explained).toMatchObject({
      state: 'stale',
      reason: 'Stale in memory because it was invalidated 2000 ms ago; a read gets it at once and loads behind it.',
    })
    expect(tiers.map(({ invalidatedAt }) => invalidatedAt)).toEqual([clock.now() - 2_000, clock.now() - 2_000])
  })

  it('tells the last failure, and when the source is asked again', async () => {
    const { clock, users, source } = open()
    await users.get('a')
    source.down = true
    await clock.advance('20s')
    await users.get('a')
    const failed = await users.explain('a')
    expect(failed.reason).toBe(
      'Stale in memory because its time is over; a read asks the source and gets it only if that fails; the last load failed.',
    )
    expect(failed.lastFailure).toMatchObject({ error: new Error('down'), failures: 1 })
    expect(failed.nextRefreshAt).toBe(failed.lastFailure?.retryAt)
    expect(failed.nextRefreshAt).toBeGreaterThan(clock.now())
    source.down = false
    await users.get('a', { refresh: true })
    expect((await users.explain('a')).lastFailure).toBeUndefined()
  })

  it('tells the load in progress, and starts none', async () => {
    const { clock, users, source } = open()
    const gate = deferred<undefined>()
    source.gate = gate.promise
    await users.explain('a')
    expect((await users.stats()).loads).toBe(0)
    const reading = users.get('a')
    await settled()
    await clock.advance('3s')
    expect((await users.explain('a')).loading).toEqual({ since: clock.now() - 3_000 })
    gate.resolve(undefined)
    await reading
    expect((await users.explain('a')).loading).toBeUndefined()
  })

  it('speaks of the best copy, wherever it lies', async () => {
    const { tide, clock, users } = open()
    await users.get('a')
    const elsewhere = tide.resource({ name: 'filler', load: (key: number) => key, freshness: ttl('1h') })
    await Promise.all(Array.from({ length: 11_000 }, (_, i) => elsewhere.set(i, i)))
    const { tiers, reason } = await users.explain('a')
    expect(tiers.map(({ state }) => state)).toEqual(['absent', 'fresh'])
    expect(reason).toBe('Fresh in sqlite for 10000 ms more.')
    expect(clock.now()).toBeGreaterThan(0)
  })
})
