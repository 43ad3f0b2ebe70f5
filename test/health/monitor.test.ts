import { ttl, type TidemarkEvent } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { testFolder } from '../folder.ts'
import { open, type Rig } from './rig.ts'

const folder = testFolder()

describe('the life of a value', () => {
  it('unknown, checked at once, healthy, and checked again every five minutes', async () => {
    const { clock, tide, proxies, checked } = open()
    await proxies.set('a', 'a')
    await clock.advance('1s')
    expect(proxies.health.state('a')).toBe('healthy')
    await clock.advance('10m')
    expect(checked).toHaveLength(3)
    await tide.close()
  })

  it('every check that ends is told, also of one that stays what it is', async () => {
    const { clock, tide, proxies, down } = open()
    const told: TidemarkEvent[] = []
    tide.on('event', (event) => void (event.type === 'checked' ? told.push(event) : 0))
    await proxies.set('a', 'a')
    await clock.advance('1s')
    down.add('a')
    await clock.advance('5m')
    const always = { type: 'checked', name: 'proxies', key: 'a', state: 'healthy', responseMs: expect.any(Number) }
    expect(told).toEqual([
      { ...always, ok: true, error: undefined },
      { ...always, ok: false, error: 'refused' },
    ])
    await tide.close()
  })

  it('three failures in a row make it unhealthy, two successes bring it back', async () => {
    const { clock, tide, proxies, down, events } = open()
    await proxies.get('a')
    await clock.advance('1s')
    down.add('a')
    await clock.advance('15m')
    expect(proxies.health.record('a')).toMatchObject({ state: 'unhealthy', failures: 3, lastError: 'refused' })
    down.delete('a')
    await clock.advance('4m')
    expect(proxies.health.record('a')).toMatchObject({ state: 'healthy', failures: 0, recoveries: 0 })
    const moves = events.flatMap((it) => (it.type === 'health' ? [`${it.from} ${it.to}`] : []))
    expect(moves).toEqual([
      'unknown checking',
      'checking healthy',
      'healthy unhealthy',
      'unhealthy recovering',
      'recovering healthy',
    ])
    await tide.close()
  })

  it('after five failed recoveries it is dead, deleted from every tier if so wanted, and begins anew when set again', async () => {
    const { clock, tide, proxies, down, events } = open({ evictWhenDead: true, unhealthyAfter: 1 })
    down.add('a')
    await proxies.set('a', 'a')
    await clock.advance('2h')
    expect(proxies.health.state('a')).toBeUndefined()
    expect(await proxies.stored('a')).toBeUndefined()
    expect(events.findLast((it) => it.type === 'health')).toMatchObject({ to: 'dead' })
    down.clear()
    await proxies.set('a', 'a')
    await clock.advance('1s')
    expect(proxies.health.state('a')).toBe('healthy')
    await tide.close()
  })

  it('cooldowns double: 60 s, 120 s, 240 s …', async () => {
    const { clock, tide, proxies, down } = open({ unhealthyAfter: 1 })
    down.add('a')
    await proxies.set('a', 'a')
    await clock.advance('1s')
    const gaps: number[] = []
    for (let i = 0; i < 4; i++) {
      const { nextCheckAt, lastCheckAt } = proxies.health.record('a') ?? { nextCheckAt: 0, lastCheckAt: 0 }
      gaps.push(nextCheckAt - (lastCheckAt ?? 0))
      await clock.advance(nextCheckAt - clock.now() + 10)
    }
    expect(gaps).toEqual([60_000, 120_000, 240_000, 480_000])
    await tide.close()
  })

  it('a check that never answers has failed at its timeout, and is told to stop', async () => {
    let signal: AbortSignal | undefined
    const { clock, tide, proxies } = open({
      timeout: '10s',
      check: (_value, context) => {
        signal = context.signal
        return new Promise(() => {})
      },
    })
    await proxies.set('a', 'a')
    await clock.advance('11s')
    expect(proxies.health.record('a')).toMatchObject({ failures: 1, lastError: 'No answer within 10000 ms.' })
    expect(signal?.aborted).toBe(true)
    await tide.close()
  })
})

describe('many values', () => {
  it('at most `concurrency` at once, never one value twice, all within the interval', async () => {
    let running = 0
    let most = 0
    const active = new Set<string>()
    let twice = 0
    const { clock, tide, proxies } = open({
      concurrency: 100,
      check: async (url) => {
        if (active.has(url)) twice++
        active.add(url)
        most = Math.max(most, ++running)
        await new Promise<void>((resolve) => clock.schedule(1000, () => resolve()))
        running--
        active.delete(url)
        return { ok: true }
      },
    })
    await Promise.all(Array.from({ length: 1000 }, (_, i) => proxies.set(`p${i}`, `p${i}`)))
    await clock.advance('30s')
    expect(proxies.health.counts).toMatchObject({ healthy: 1000, unknown: 0 })
    expect([most, twice]).toEqual([100, 0])
    await tide.close()
  })

  it('a pool of which fewer than half are healthy is degraded, until six in ten are', async () => {
    const { clock, tide, proxies, down, events } = open({ unhealthyAfter: 1 })
    const keys = Array.from({ length: 10 }, (_, i) => `p${i}`)
    await Promise.all(keys.map((key) => proxies.set(key, key)))
    await clock.advance('1s')
    for (const key of keys.slice(0, 6)) down.add(key)
    await clock.advance('5m')
    expect(proxies.health.isDegraded).toBe(true)
    down.clear()
    await clock.advance('10m')
    expect(proxies.health.isDegraded).toBe(false)
    expect(events.flatMap((it) => (it.type === 'pool' ? [it.degraded] : []))).toEqual([true, false])
    await tide.close()
  })

  it('reported failures delete a value from every tier at the threshold, at once', async () => {
    const { clock, tide, proxies } = open()
    await proxies.set('a', 'a')
    await clock.advance('1s')
    expect([await proxies.health.reportFailure('a'), await proxies.health.reportFailure('a')]).toEqual([false, false])
    expect(await proxies.health.reportFailure('a')).toBe(true)
    expect(await proxies.stored('a')).toBeUndefined()
    expect(await proxies.health.reportFailure('a')).toBe(false)
    await tide.close()
  })

  it('what is deleted or cleared is no longer checked or counted', async () => {
    const { clock, tide, proxies, checked } = open()
    await Promise.all(['a', 'b', 'c'].map((key) => proxies.set(key, key)))
    await clock.advance('1s')
    await proxies.delete('a')
    await clock.advance('1s')
    expect(proxies.health.counts).toMatchObject({ healthy: 2 })
    await proxies.clear()
    await clock.advance('1s')
    expect(proxies.health.counts).toMatchObject({ healthy: 0 })
    checked.length = 0
    await clock.advance('10m')
    expect(checked).toEqual([])
    await tide.close()
  })
})

describe.for([
  { way: 'deleted', remove: (rig: Rig) => rig.proxies.delete('a') },
  { way: 'cleared', remove: (rig: Rig) => rig.proxies.clear() },
  { way: 'cleared with its scope', remove: (rig: Rig) => rig.tide.scope('pool').clear() },
  { way: 'deleted by its tag', remove: (rig: Rig) => rig.tide.deleteTag('scraped') },
  { way: 'past its time', remove: (rig: Rig) => rig.clock.advance('1h') },
])('a value that is $way', ({ remove }) => {
  it('leaves neither its state nor its history behind [proxies 17]', async () => {
    const path = join(folder, `orphans-${crypto.randomUUID()}.db`)
    const rig = open({ history: '30m' }, path, new FakeClock(), {
      scope: () => 'pool',
      tags: () => ['scraped'],
      freshness: ttl('1h'),
    })
    await rig.proxies.set('a', 'a')
    await rig.clock.advance('20m')
    expect(await rig.proxies.health.history('a')).not.toEqual([])
    await remove(rig)
    await rig.clock.advance('61m')
    await rig.tide.close()
    const database = new DatabaseSync(path)
    expect(database.prepare('SELECT key FROM entries').all()).toEqual([])
    database.close()
  })
})

describe('a restart', () => {
  it('goes on where it stopped: states, totals and dates', async () => {
    const path = join(folder, 'restart.db')
    const first = open({}, path)
    first.down.add('b')
    await Promise.all(['a', 'b'].map((key) => first.proxies.set(key, key)))
    await first.clock.advance('630s')
    const before = [first.proxies.health.record('a'), first.proxies.health.record('b')]
    expect(before[1]?.state).toBe('unhealthy')
    await first.tide.close()
    const second = open({}, path, first.clock)
    await second.proxies.health.ready
    expect([second.proxies.health.record('a'), second.proxies.health.record('b')]).toEqual(before)
    expect(await second.proxies.health.history('b')).toHaveLength(3)
    expect(second.checked).toEqual([])
    await second.tide.close()
  })

  it('under a clock that was set back: what was due in a day is due now', async () => {
    const path = join(folder, 'set-back.db')
    const first = open({}, path, new FakeClock(new FakeClock().now() + 86_400_000))
    await first.proxies.set('a', 'a')
    await first.clock.advance('6m')
    await first.tide.close()
    const second = open({}, path, new FakeClock())
    await second.proxies.health.ready
    await second.clock.advance('1s')
    expect(second.checked).toEqual(['a'])
    await second.clock.advance('6m')
    expect(second.checked).toEqual(['a', 'a'])
    await second.tide.close()
  })

  it('history is as long as it is wanted', async () => {
    const { clock, tide, proxies } = open({ history: '30m' })
    await proxies.set('a', 'a')
    await clock.advance('2h')
    const history = await proxies.health.history('a')
    expect(history.length).toBeLessThanOrEqual(6)
    expect(history.every((it) => it.at > clock.now() - 36 * 60_000 && it.ok)).toBe(true)
    await tide.close()
  })
})
