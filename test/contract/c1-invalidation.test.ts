// C1: invalidation and loading. What was removed while a load ran is stored nowhere, and nobody who comes later sees it.

import { describe, expect, it } from 'vitest'
import { immutable, ttl, untilInvalidated, type Resource, type Tidemark } from 'tidemark'
import { deferred, eachStack, settled } from './stacks.ts'

type Removal = readonly [string, (tide: Tidemark, users: Resource<string, string>) => Promise<unknown>]

const removals: readonly Removal[] = [
  ['delete', (_, users) => users.delete('a')],
  ['invalidate', (_, users) => users.invalidate('a')],
  ['clear', (_, users) => users.clear()],
  ['scope clear', (tide) => tide.scope('s').clear()],
  ['scope invalidation', (tide) => tide.scope('s').invalidate()],
  ['tag invalidation', (tide) => tide.invalidateTag('t')],
  ['tag deletion', (tide) => tide.deleteTag('t')],
  ['era', (tide) => tide.era('e').renew('s')],
  ['clear of everything', (tide) => tide.clear()],
]

eachStack(({ make }) => {
  for (const [what, removeNow] of removals) {
    describe(what, () => {
      it('inflight-delete-fences: the loaded value goes to its waiters and is stored nowhere', async () => {
        const { tide } = make()
        const loads = [deferred<string>(), deferred<string>()]
        let started = 0
        const users = tide.resource({
          name: 'users',
          load: (_key: string) => (loads[started++] as PromiseWithResolvers<string>).promise,
          freshness: ttl('1h'),
          scope: () => 's',
          era: tide.era('e'),
          tags: () => ['t'],
        })
        const waiters = [users.get('a'), users.get('a')]
        await settled()
        await removeNow(tide, users)
        loads[0]?.resolve('old')
        expect(await Promise.all(waiters)).toEqual(['old', 'old'])
        expect(users.peek('a')).toBeUndefined()
        expect((await users.explain('a')).tiers.map(({ state }) => state)).not.toContain('fresh')
        const after = users.get('a')
        await settled()
        loads[1]?.resolve('new')
        expect(await after).toBe('new')
        expect(started).toBe(2)
        expect((await users.stats()).refused).toBe(1)
      })

      it('reader-after-delete-never-sees-old: a reader after it starts a new flight', async () => {
        const { tide } = make()
        const loads = [deferred<string>(), deferred<string>()]
        let started = 0
        const users = tide.resource({
          name: 'users',
          load: (_key: string) => (loads[started++] as PromiseWithResolvers<string>).promise,
          freshness: ttl('1h'),
          scope: () => 's',
          era: tide.era('e'),
          tags: () => ['t'],
        })
        const early = users.get('a')
        await settled()
        await removeNow(tide, users)
        const late = users.get('a')
        await settled()
        expect(started).toBe(2)
        loads[1]?.resolve('new')
        expect(await late).toBe('new')
        loads[0]?.resolve('old')
        expect(await early).toBe('old')
        expect(await users.get('a')).toBe('new')
        expect(started).toBe(2)
      })
    })
  }

  it('tag-invalidation-during-load: also when only the loaded value says what its tags are', async () => {
    const { tide } = make()
    const load = deferred<{ team: string }>()
    let loads = 0
    const users = tide.resource({
      name: 'users',
      load: async (_key: string) => (loads++ === 0 ? load.promise : { team: 'red' }),
      freshness: ttl('1h'),
      tags: (_key, value) => [`team:${value.team}`],
    })
    const waiter = users.get('a')
    await settled()
    await tide.invalidateTag('team:red')
    load.resolve({ team: 'red' })
    expect(await waiter).toEqual({ team: 'red' })
    await users.get('a')
    expect(loads).toBe(2)
    await tide.invalidateTag('team:blue')
    await users.get('a')
    expect(loads).toBe(2)
  })

  it('set-beats-older-load: an explicit set during a load wins over it, in every tier', async () => {
    const { tide } = make()
    const load = deferred<string>()
    const users = tide.resource({ name: 'users', load: (_key: string) => load.promise, freshness: ttl('1h') })
    const waiter = users.get('a')
    await settled()
    await users.set('a', 'set')
    load.resolve('loaded')
    expect(await waiter).toBe('loaded')
    expect(await users.get('a')).toBe('set')
    const { tiers } = await users.explain('a')
    expect(tiers.every(({ state }) => state === 'fresh')).toBe(true)
    expect((await users.stats()).refused).toBe(1)
  })

  it('era-switch-atomic: an identity conflict drops the era in that scope before the new value is there', async () => {
    const { tide, events } = make()
    const era = tide.era('memory')
    const unit = { waveforms: ['w0', 'w1'] as string[] }
    const waveforms = tide.resource({
      name: 'waveforms',
      load: ([, index]: readonly [string, number]) => ({ id: unit.waveforms[index] as string }),
      era,
      scope: ([name]) => name,
      freshness: immutable({ identity: (w: { id: string }) => [w.id] }),
    })
    const info = tide.resource({
      name: 'info',
      load: (_unit: string) => 'BE1',
      scope: (u) => u,
      freshness: untilInvalidated(),
    })
    await waveforms.getMany([
      ['u', 0],
      ['u', 1],
      ['v', 0],
    ])
    await info.get('u')
    unit.waveforms = ['x0', 'x1']
    expect(await waveforms.get(['u', 0], { refresh: true })).toEqual({ id: 'x0' })
    expect(waveforms.peek(['u', 0]) ?? (await waveforms.get(['u', 0]))).toEqual({ id: 'x0' })
    expect(events.filter(({ type }) => type === 'era')).toMatchObject([
      { era: 'memory', scope: 'u', dropped: { waveforms: 2 } },
    ])
    expect((await info.read('u')).reason, 'what is not in the era stays').toBe('hit')
    expect((await waveforms.read(['v', 0])).reason, 'other scopes stay').toBe('hit')
    expect((await waveforms.read(['u', 1])).value, 'the rest of the old era is gone').toEqual({ id: 'x1' })
    expect((await waveforms.stats()).evictions.era).toBe(2)
  })

  it('era-switch-atomic: partial stamps never end an era, a part that both know and that differs does', async () => {
    const { tide } = make()
    const era = tide.era('memory')
    let value: { key?: string; at?: string; n: number } = { at: '2026-01-01', n: 1 }
    const waveforms = tide.resource({
      name: 'waveforms',
      load: (_key: readonly [string, number]) => value,
      era,
      scope: ([name]) => name,
      freshness: immutable({ identity: (w: typeof value) => [w.key, w.at] }),
    })
    await waveforms.get(['u', 1])
    await waveforms.get(['u', 0])
    value = { key: '01110000', n: 2 }
    await waveforms.get(['u', 0], { refresh: true })
    expect((await waveforms.stats()).evictions.era).toBe(0)
    value = { at: '2026-02-02', n: 3 }
    await waveforms.get(['u', 1], { refresh: true })
    expect((await waveforms.stats()).evictions.era).toBe(2)
  })

  it('era-switch-atomic: readers never see items of two eras together', async () => {
    const { tide } = make()
    const source = { era: 0, count: 5 }
    const events = tide.collection({
      name: 'events',
      era: tide.era('memory'),
      scope: (unit: string) => unit,
      probe: async () => {
        const { count, era } = source
        await settled()
        return { count, first: [`${era}/0`], last: [`${era}/${count - 1}`] }
      },
      load: async (_unit, { from, to }) => {
        await settled()
        return Array.from({ length: to - from }, (_, i) => ({ era: source.era, index: from + i }))
      },
      identity: (e) => [`${e.era}/${e.index}`],
    })
    const mixed: unknown[] = []
    const reader = async (): Promise<void> => {
      for (let i = 0; i < 15; i++) {
        const items = await events.list('u').catch(() => [])
        if (new Set(items.map(({ era }) => era)).size > 1) mixed.push(items)
      }
    }
    const eraser = async (): Promise<void> => {
      for (let i = 0; i < 12; i++) {
        await settled()
        source.era++
        source.count = 3 + ((i * 7) % 5)
      }
    }
    await Promise.all([reader(), reader(), reader(), eraser()])
    expect(mixed).toEqual([])
    const last = await events.list('u')
    expect(last).toEqual(Array.from({ length: source.count }, (_, index) => ({ era: source.era, index })))
  })
})
