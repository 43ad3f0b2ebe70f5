// What is known of a value outlives restarts, outages and other processes.

import { join } from 'node:path'
import { memory, type Tier } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { describe, expect, it } from 'vitest'
import { TRANSITIONS } from '../../src/health/state.ts'
import { testFolder } from '../folder.ts'
import { open, type Rig } from './rig.ts'

const folder = testFolder()
const newPath = (): string => join(folder, `${crypto.randomUUID()}.db`)
const minutes = async ({ clock }: Rig, count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await clock.advance('1m')
}
const alarms = ({ events }: Rig): boolean[] => events.flatMap((it_) => (it_.type === 'pool' ? [it_.degraded] : []))

/** A tier that is not in this process, and may be out of use. */
function remote(turns = 0): { readonly tier: Tier; isDown: boolean } {
  const inner = memory({ maxEntries: 100 })
  const state = { isDown: false }
  const reach = async <T>(work: () => T): Promise<Awaited<T>> => {
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
    if (state.isDown) throw new Error('down')
    return await work()
  }
  const tier: Tier = {
    name: 'remote',
    capabilities: { persistent: true, shared: false, sync: false },
    get: (key) => reach(() => inner.get(key)),
    put: (entry, lease) => reach(() => inner.put(entry, lease)),
    lease: () => reach(() => inner.lease()),
    remove: (selector, staleAt) => reach(() => inner.remove(selector, staleAt)),
    async *keys(selector) {
      yield* await reach(() => inner.keys(selector))
    },
    count: (selector) => reach(() => inner.count(selector)),
    sweep: (now, limit) => reach(() => inner.sweep(now, limit)),
    close: () => inner.close(),
  }
  return Object.assign(state, { tier })
}

describe('a tier that is out of use', () => {
  it('while its values are due takes nothing of what is known of them', async () => {
    const store = remote()
    const rig = open({}, '', new FakeClock(), {}, [store.tier])
    await rig.proxies.set('a', 'a')
    await minutes(rig, 30)
    const before = rig.proxies.health.record('a')?.checks ?? 0
    expect(before).toBeGreaterThan(5)
    store.isDown = true
    await minutes(rig, 10)
    store.isDown = false
    await minutes(rig, 10)
    expect(await rig.proxies.stored('a')).toBe('a')
    expect(rig.proxies.health.state('a')).toBe('healthy')
    expect(rig.proxies.health.record('a')?.checks).toBeGreaterThan(before)
    expect((await rig.proxies.health.history('a')).length).toBeGreaterThan(before)
    await rig.tide.close()
  })
})

describe('a restart', () => {
  it('right after a dead value was set again finds it alive', async () => {
    const path = newPath()
    const options = { maxRecoveries: 1, unhealthyAfter: 1, every: '1m' } as const
    const first = open(options, path)
    first.down.add('a')
    await first.proxies.set('a', 'a')
    await first.clock.advance('10m')
    expect(first.proxies.health.state('a')).toBe('dead')
    await first.proxies.set('a', 'a')
    await first.tide.close()
    const second = open(options, path, first.clock)
    await second.proxies.health.ready
    await second.clock.advance('1m')
    expect(second.proxies.health.state('a')).toBe('healthy')
    await second.tide.close()
  })

  it('forgets no report of a failed use', async () => {
    const path = newPath()
    const clock = new FakeClock()
    const told: boolean[] = []
    for (let i = 0; i < 3; i++) {
      const rig = open({ evictAfterReports: 5 }, path, clock)
      if (i === 0) await rig.proxies.set('a', 'a')
      // The first check, which is good.
      await rig.clock.advance('1s')
      told.push(await rig.proxies.health.reportFailure('a'), await rig.proxies.health.reportFailure('a'))
      await rig.tide.close()
    }
    expect(told).toEqual([false, false, false, false, true, false])
  })

  it('raises no alarm while what was stored is taken in, nor do the first checks of a new pool', async () => {
    const path = newPath()
    const options = { unhealthyAfter: 1, backoff: { base: '1h' } } as const
    const keys = Array.from({ length: 20 }, (_, i) => String(i).padStart(2, '0'))
    const first = open(options, path)
    first.down.add('00')
    await Promise.all(keys.map((key) => first.proxies.set(key, key)))
    await first.clock.advance('2s')
    expect(first.proxies.health.counts).toMatchObject({ healthy: 19, unhealthy: 1 })
    await first.tide.close()
    const second = open(options, path, first.clock)
    await second.proxies.health.ready
    expect(second.proxies.health.counts).toMatchObject({ healthy: 19, unhealthy: 1 })
    expect([alarms(first), alarms(second)]).toEqual([[], []])
    await second.tide.close()
  })

  it('leaves a pool between the limits degraded, if it was', async () => {
    const path = newPath()
    const options = { unhealthyAfter: 1, healthyAfter: 1, backoff: { base: '1s', max: '1s', jitter: 0 } } as const
    const first = open(options, path)
    const keys = Array.from({ length: 20 }, (_, i) => String(i))
    await Promise.all(keys.map((key) => first.proxies.set(key, key)))
    await first.clock.advance('1s')
    for (const key of keys.slice(0, 12)) first.down.add(key)
    await first.clock.advance('5m')
    for (const key of keys.slice(0, 3)) first.down.delete(key)
    await first.clock.advance('3s')
    expect([first.proxies.health.counts.healthy, first.proxies.health.isDegraded]).toEqual([11, true])
    await first.tide.close()
    const second = open(options, path, first.clock)
    await second.proxies.health.ready
    expect([second.proxies.health.isDegraded, alarms(second)]).toEqual([true, []])
    await second.clock.advance('3s')
    expect([second.proxies.health.isDegraded, alarms(second)]).toEqual([false, [false]])
    await second.tide.close()
  })
})

it('a deletion while a check concludes leaves nothing of its health behind, wherever it falls', async () => {
  const turn = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
  }
  for (let at = 0; at < 30; at++) {
    const rig = open({}, '', new FakeClock(), {}, [remote(1).tier])
    await rig.proxies.set('a', 'a')
    const checking = rig.clock.advance('1s')
    await turn(at)
    await rig.proxies.delete('a')
    await checking
    await turn(40)
    expect(await rig.proxies.health.history('a'), `deleted after ${at} turns`).toEqual([])
    await rig.tide.close()
  }
})

describe('reports of failed uses', () => {
  it('at the same time count each, are told once, and leave nothing behind', async () => {
    const rig = open({ evictAfterReports: 20 })
    await rig.proxies.set('a', 'a')
    await rig.clock.advance('1s')
    const reports = async (count: number): Promise<boolean[]> =>
      Promise.all(Array.from({ length: count }, (_, i) => rig.proxies.health.reportFailure('a', `use ${i}`)))
    expect((await reports(15)).filter(Boolean)).toEqual([])
    expect(await rig.proxies.health.history('a')).toHaveLength(16)
    expect((await reports(15)).filter(Boolean)).toEqual([true])
    expect(rig.events.filter((it_) => it_.type === 'deleted')).toHaveLength(1)
    expect(await rig.proxies.health.history('a')).toEqual([])
    await rig.tide.close()
  })

  it('right at the start wait until it is known what is stored', async () => {
    const path = newPath()
    const first = open({}, path)
    await first.proxies.set('a', 'a')
    await first.clock.advance('1s')
    await first.tide.close()
    const { proxies, tide } = open({}, path, first.clock)
    const told = [1, 2, 3].map(() => proxies.health.reportFailure('a'))
    expect(await Promise.all(told)).toEqual([false, false, true])
    expect(await proxies.stored('a')).toBeUndefined()
    await tide.close()
  })

  it('begin anew with a good check', async () => {
    const rig = open()
    await rig.proxies.set('a', 'a')
    await rig.clock.advance('1s')
    for (let i = 0; i < 4; i++) {
      expect([await rig.proxies.health.reportFailure('a'), await rig.proxies.health.reportFailure('a')]).toEqual([
        false,
        false,
      ])
      await rig.clock.advance('5m')
    }
    await rig.tide.close()
  })
})

describe('two processes on one file', () => {
  it('check a value once between them, and know the same of it', async () => {
    const path = newPath()
    const clock = new FakeClock()
    const slow = (rig: () => Rig) => ({
      check: async (url: string) => {
        rig().checked.push(url)
        await new Promise<void>((resolve) => clock.schedule(100, () => resolve()))
        return { ok: !rig().down.has(url), error: 'refused' }
      },
    })
    const a: Rig = open(
      slow(() => a),
      path,
      clock,
    )
    const b: Rig = open(
      slow(() => b),
      path,
      clock,
    )
    await a.proxies.set('x', 'x')
    await clock.advance('90s')
    for (let i = 0; i < 360; i++) {
      const isDown = i > 120 && i < 240
      for (const { down } of [a, b]) down[isDown ? 'add' : 'delete']('x')
      await clock.advance('10s')
    }
    const made = [a, b].flatMap(({ checked }) => checked).length
    const history = await a.proxies.health.history('x')
    expect(history).toHaveLength(made)
    // Every five minutes for an hour, and some more on the way back.
    expect(made).toBeLessThan(22)
    for (const { events } of [a, b]) {
      for (const it_ of events) if (it_.type === 'health') expect(TRANSITIONS[it_.from]).toContain(it_.to)
    }
    await clock.advance('15s')
    expect(a.proxies.health.record('x')).toEqual(b.proxies.health.record('x'))
    expect(a.proxies.health.record('x')?.checks).toBe(made)
    await Promise.all([a.tide.close(), b.tide.close()])
  })
})

describe('what was known elsewhere', () => {
  it('is gone on with, and is there after a restart', async () => {
    const path = newPath()
    const { clock, tide, proxies, checked } = open({}, path)
    await proxies.set('a', 'a')
    await clock.advance('1s')
    const known = { state: 'unhealthy', checks: 99, checkFailures: 40, failures: 7, recoveries: 2 } as const
    const nextCheckAt = clock.now() + 600_000
    expect(await proxies.health.restore('a', { ...known, nextCheckAt })).toBe(true)
    expect(await proxies.health.restore('b', known)).toBe(false)
    checked.length = 0
    await tide.close()
    const second = open({}, path, clock)
    await second.proxies.health.ready
    expect(second.proxies.health.record('a')).toMatchObject({ ...known, nextCheckAt })
    await second.clock.advance('9m')
    expect(second.checked).toEqual([])
    await second.clock.advance('65s')
    expect(second.proxies.health.record('a')).toMatchObject({ state: 'recovering', checks: 100 })
    await second.tide.close()
  })

  it.for([{ state: 'asleep' }, { checks: -1 }, { failures: 0.5 }, { nextCheckAt: Number.NaN }])(
    'is refused when it is wrong: %j',
    async (known) => {
      const { tide, proxies } = open()
      await proxies.set('a', 'a')
      await expect(proxies.health.restore('a', known as never)).rejects.toMatchObject({ code: 'invalid-value' })
      await tide.close()
    },
  )
})
