// C1 and C2 among several real processes that share one SQLite file, one folder of segments, one PostgreSQL, or one Redis.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { testFolder } from '../folder.ts'
import { startPeer, type Peer } from '../process/peer.ts'
import { postgresPlaces } from '../postgres/shared.ts'
import { jsonlPlace } from '../process/place.ts'
import { sharedPlaces } from '../redis/shared.ts'

const folder = testFolder()
const redisPlaces = await sharedPlaces()
const inPostgres = await postgresPlaces()

const until = async (holds: () => Promise<boolean>, withinMs: number): Promise<number> => {
  const startedAt = performance.now()
  while (!(await holds())) {
    if (performance.now() - startedAt > withinMs) throw new Error(`not within ${withinMs} ms`)
  }
  return performance.now() - startedAt
}

const kinds: readonly (readonly [string, (place: number) => string])[] = [
  ['sqlite', (place) => join(folder, `${place}.db`)],
  ['jsonl', (place) => jsonlPlace(join(folder, `${place}`))],
  ...(redisPlaces ? ([['redis', redisPlaces]] as const) : []),
  ...(inPostgres ? ([['postgres', inPostgres]] as const) : []),
]

describe.each(kinds)('%s', (shared, placeOf) => {
  let places = 0
  const nextPlace = (): string => placeOf(++places)

  async function two(coherence: 'eventual' | 'strict' = 'strict'): Promise<[Peer, Peer]> {
    const place = nextPlace()
    return Promise.all([startPeer(place, coherence), startPeer(place, coherence)])
  }

  it('two-process-lost-update: B loads v1, A sets v2, B stores late: refused everywhere', async () => {
    const [a, b] = await two()
    const waiter = b.call('get', 'k')
    const load = await b.nextLoad()
    await a.call('set', 'k', 'v2')
    load.answer('v1')
    expect(await waiter).toBe('v1')
    expect(await a.call('read', 'k')).toMatchObject({ value: 'v2', tier: 'memory' })
    expect(await b.call('read', 'k')).toMatchObject({ value: 'v2', tier: shared })
    expect(await b.call('read', 'k')).toMatchObject({ value: 'v2', tier: 'memory' })
  })

  describe.each(['delete', 'invalidate', 'clear', 'clearScope', 'invalidateTag'])('%s in another process', (method) => {
    it('inflight-delete-fences: a load that was running is stored nowhere', async () => {
      const [a, b] = await two()
      await a.call('set', 'other', 1)
      const waiter = b.call('get', 'k')
      const load = await b.nextLoad()
      await a.call(method, 'k')
      load.answer('old')
      expect(await waiter).toBe('old')
      for (const peer of [b, a]) {
        const again = peer.call('get', 'k')
        const next = await peer.nextLoad()
        next.answer('new')
        expect(await again).toBe('new')
        if (peer === b) await b.call('delete', 'k')
      }
    })

    it('strict: no read that begins after it resolved sees the old value', async () => {
      const [a, b] = await two()
      for (let i = 0; i < 20; i++) {
        await b.call('set', 'k', `old ${i}`)
        expect(await b.call('get', 'k')).toBe(`old ${i}`)
        await a.call(method, 'k')
        const reading = b.call('get', 'k')
        const load = await b.nextLoad()
        load.answer(`new ${i}`)
        expect(await reading).toBe(`new ${i}`)
      }
    })

    it('eventual: within the polling interval nobody sees it any more', async () => {
      const [a, b] = await two('eventual')
      await a.call('set', 'k', 'old')
      // The look that was due for the set may take the copy away once more.
      await until(async () => (await b.call('get', 'k')) === 'old' && (await b.call('peek', 'k')) === 'old', 5_000)
      await a.call(method, 'k')
      const tookMs = await until(async () => (await b.call('peek', 'k')) === null, 2_000)
      // 50 ms between two looks, and much room for a machine that is busy.
      expect(tookMs).toBeLessThan(1_000)
    })
  })

  it('reader-after-delete-never-sees-old: a flight of another process from before is not waited for', async () => {
    const [a, b] = await two()
    const early = b.call('get', 'k')
    const old = await b.nextLoad()
    await a.call('delete', 'k')
    const late = a.call('get', 'k')
    const load = await a.nextLoad()
    load.answer('new')
    expect(await late).toBe('new')
    old.answer('old')
    expect(await early).toBe('old')
    expect(await b.call('get', 'k')).toBe('new')
  })

  it('era-switch-atomic: an era ended by one process is gone in the others', async () => {
    const [a, b] = await two()
    for (const index of [0, 1]) {
      const wave = a.call('wave', 'u', index, false)
      const load = await a.nextLoad()
      load.answer({ id: `old ${index}` })
      await wave
      await b.call('wave', 'u', index, false)
    }
    expect(await b.call('waveTier', 'u', 1)).toBe('memory')
    const renewed = a.call('wave', 'u', 0, true)
    const load = await a.nextLoad()
    load.answer({ id: 'new 0' })
    await renewed
    expect(await b.call('wave', 'u', 0, false)).toEqual({ id: 'new 0' })
    const other = b.call('wave', 'u', 1, false)
    const next = await b.nextLoad()
    next.answer({ id: 'new 1' })
    expect(await other).toEqual({ id: 'new 1' })
  })

  it('one-load-per-key: four processes, 250 concurrent readers each, one load', async () => {
    const place = nextPlace()
    const peers = await Promise.all([1, 2, 3, 4].map(() => startPeer(place)))
    const readers = peers.flatMap((peer) => Array.from({ length: 250 }, () => peer.call('get', 'k')))
    const load = await Promise.race(peers.map((peer) => peer.nextLoad()))
    await new Promise((resolve) => setTimeout(resolve, 100))
    load.answer('v')
    expect(new Set(await Promise.all(readers))).toEqual(new Set(['v']))
    expect(peers.reduce((sum, peer) => sum + peer.loadCount, 0)).toBe(1)
  })

  it('holder-killed: another process takes over after the claim has expired', async () => {
    const [a, b] = await two()
    void a.call('get', 'k').catch(() => {})
    await a.nextLoad()
    const waiter = b.call('get', 'k')
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(b.loadCount).toBe(0)
    await a.kill()
    const load = await b.nextLoad()
    load.answer('v')
    expect(await waiter).toBe('v')
  })

  it('holder-killed: a holder that comes late is fenced off by its lease', async () => {
    const [a, b] = await two()
    const late = a.call('get', 'k')
    const old = await a.nextLoad()
    a.signal('SIGSTOP')
    const waiter = b.call('get', 'k')
    const load = await b.nextLoad()
    load.answer('new')
    expect(await waiter).toBe('new')
    a.signal('SIGCONT')
    old.answer('old')
    expect(await late).toBe('old')
    expect(await b.call('get', 'k')).toBe('new')
    expect(await a.call('get', 'k')).toBe('new')
  })
})
