import { describe, expect, it } from 'vitest'
import {
  TidemarkError,
  memory,
  sqlite,
  type ChangedSlots,
  type Claims,
  type ErrorCode,
  type Key,
  type Tier,
  type TierReport,
} from 'tidemark'
import { FakeClock, chaos, type ChaosOperation, type ChaosTier } from 'tidemark/testing'
import { Guard } from '../../src/stack/guard.ts'
import { entryOf } from '../../src/testing/tier-cases/case.ts'

const KEY: Key = { name: 'users', id: 'a' }
const SETTINGS = {
  failureThreshold: 3,
  successThreshold: 2,
  probeBaseMs: 500,
  probeMaxMs: 30_000,
  budgetMs: 20,
  journal: { maxItems: 100, maxBytes: 1e6 },
  disabled: false,
}

interface Guarded {
  readonly guard: Guard
  readonly clock: FakeClock
  readonly states: string[]
  readonly reports: TierReport[]
}

function guarded(tier: Tier, settings: Partial<typeof SETTINGS> = {}): Guarded {
  const clock = new FakeClock()
  const states: string[] = []
  const reports: TierReport[] = []
  const guard = new Guard(
    tier,
    { ...SETTINGS, ...settings },
    {
      clock,
      report: (news) => reports.push(news),
      stateChanged: (_, state) => states.push(state),
    },
  )
  return { guard, clock, states, reports }
}

const overChaos = (): Guarded & { broken: ChaosTier; below: Tier } => {
  const below = memory()
  const broken = chaos(below)
  return { ...guarded(broken), broken, below }
}
const failing = (code: ErrorCode): { error: TidemarkError } => ({ error: new TidemarkError(code, code) })

describe('reads and writes are counted apart', () => {
  it('a tier that only fails to write still answers, and its writes go to the journal', async () => {
    const { guard, broken, clock, below } = overChaos()
    await guard.put(entryOf(clock, 'users', 'a', 'old'))
    broken.fail('put').fail('remove')
    for (const id of ['b', 'c', 'd', 'e']) expect(await guard.put(entryOf(clock, 'users', id, id))).toBe(true)
    expect(guard.status).toMatchObject({ state: 'open', journal: { items: 4 } })
    expect((await guard.get(KEY))?.value).toBe('old')
    expect((await guard.get({ name: 'users', id: 'e' }))?.value, 'and what it missed').toBe('e')
    const asked = broken.calls.length
    await guard.put(entryOf(clock, 'users', 'e', 'e'))
    await guard.sweep(clock.now(), 10)
    expect(broken.calls.length, 'it is left alone').toBe(asked)
    broken.heal()
    await clock.advance('10s')
    expect(guard.status).toMatchObject({ state: 'up', journal: { items: 0 } })
    expect((await below.get({ name: 'users', id: 'e' }))?.value).toBe('e')
  })

  it('reads that work do not hide writes that fail, nor leases reads [proxies 28]', async () => {
    const { guard, broken, clock } = overChaos()
    broken.fail('get')
    for (let i = 0; i < 3; i++) {
      await guard.get(KEY)
      await guard.lease()
      await guard.count({ kind: 'all' })
    }
    expect(guard.status.state).toBe('open')
    const writes = overChaos()
    writes.broken.fail('put')
    for (let i = 0; i < 3; i++) {
      await writes.guard.put(entryOf(clock, 'users', 'a', i))
      await writes.guard.get(KEY)
    }
    expect(writes.guard.status.state).toBe('open')
  })

  it('one failure makes it suspect, one success makes it well', async () => {
    const { guard, broken, states } = overChaos()
    broken.fail('get', { times: 1 })
    expect(await guard.get(KEY)).toBeUndefined()
    expect(guard.status).toMatchObject({ state: 'suspect', failures: { reads: 1, writes: 0 } })
    await guard.get(KEY)
    expect(states).toEqual(['suspect', 'up'])
  })
})

describe('kinds of trouble', () => {
  it.for(['tier-full', 'tier-read-only'] as const)(
    '%s refuses writes at once and says so; reads go on',
    async (code) => {
      const { guard, broken, clock } = overChaos()
      await guard.put(entryOf(clock, 'users', 'a', 'old'))
      broken.fail('put', failing(code)).fail('remove', failing(code))
      await guard.put(entryOf(clock, 'users', 'b', 1))
      expect(guard.status.state).toBe('read-only')
      expect((await guard.get(KEY))?.value).toBe('old')
    },
  )

  it('damage that the tier has settled does not open it [proxies 22]', async () => {
    const { guard, broken, states, reports } = overChaos()
    broken.fail('get', failing('tier-corrupt'))
    for (let i = 0; i < 10; i++) expect(await guard.get(KEY)).toBeUndefined()
    expect(guard.status).toMatchObject({ state: 'up', failures: { reads: 0 } })
    expect(states).toEqual([])
    expect(reports).toHaveLength(10)
  })

  it('a value that cannot be stored is the caller’s trouble, not the tier’s', async () => {
    const { guard, broken, clock } = overChaos()
    broken.fail('put', failing('invalid-value'))
    for (let i = 0; i < 5; i++)
      await expect(guard.put(entryOf(clock, 'users', 'a', 1))).rejects.toThrow('invalid-value')
    expect(guard.status).toMatchObject({ state: 'up', journal: { items: 0 } })
  })

  it('a tier that throws at once is as one that rejects', async () => {
    const throwing = new Proxy(Object.assign(memory(), { getMany: () => [] }), {
      get: (tier, name) => {
        if (['get', 'put', 'remove', 'lease', 'count', 'sweep', 'getMany'].includes(String(name)))
          return () => {
            throw new Error('at once')
          }
        const own: unknown = Reflect.get(tier, name, tier)
        return typeof own === 'function' ? (own.bind(tier) as unknown) : own
      },
    })
    const { guard, clock } = guarded(throwing)
    expect(await guard.get(KEY)).toBeUndefined()
    expect(await guard.getMany([KEY, KEY]), 'one answer for each key').toEqual([undefined, undefined])
    expect(await guard.lease()).toBeNaN()
    expect(await guard.put(entryOf(clock, 'users', 'a', 1))).toBe(true)
    expect(await guard.remove({ kind: 'all' })).toBe(0)
    expect(await guard.count({ kind: 'all' })).toBe(0)
    expect(await guard.sweep(clock.now(), 10)).toBe(0)
    expect(guard.status.state).toBe('open')
  })

  it('a list that breaks off in the middle ends there, and is told', async () => {
    const { guard, broken, clock, reports } = overChaos()
    await guard.put(entryOf(clock, 'users', 'a', 1))
    broken.fail('keys')
    const listed: unknown[] = []
    for await (const info of guard.keys({ kind: 'all' })) listed.push(info)
    expect(listed).toEqual([])
    expect(reports).toMatchObject([{ kind: 'failed', operation: 'keys' }])
  })
})

describe('what was missed', () => {
  it('a removal that was missed while a store was on its way is done after it', async () => {
    const { guard, broken, clock, below } = overChaos()
    const lease = await guard.lease()
    broken.delay('put', 10)
    const storing = guard.put(entryOf(clock, 'users', 'a', 'old'), lease)
    broken.fail('remove')
    await guard.remove({ kind: 'key', key: KEY })
    await clock.advance(10)
    expect(await storing).toBe(true)
    expect((await below.get(KEY))?.value).toBe('old')
    expect(await guard.get(KEY)).toBeUndefined()
    broken.heal()
    await clock.advance('1m')
    expect(guard.status).toMatchObject({ state: 'up', journal: { items: 0 } })
    expect(await below.get(KEY)).toBeUndefined()
  })

  it('a value that cannot be stored does not keep the tier from coming back, nor does what it was to replace stay', async () => {
    const below = sqlite({ path: ':memory:' })
    const broken = chaos(below)
    const { guard, clock, reports } = guarded(broken, { budgetMs: 5_000 })
    await guard.put(entryOf(clock, 'users', 'a', 'old'))
    broken.fail('put').fail('remove')
    for (let i = 0; i < 4; i++) await guard.put(entryOf(clock, 'users', 'b', i))
    expect(guard.status.state).toBe('open')
    await guard.put(entryOf(clock, 'users', 'a', { handler: () => 'no value' }))
    await guard.put(entryOf(clock, 'users', 'c', 'missed'))
    broken.heal()
    await clock.advance('10s')
    expect(guard.status).toMatchObject({ state: 'up', journal: { items: 0 } })
    expect(await below.get(KEY)).toBeUndefined()
    expect((await below.get({ name: 'users', id: 'c' }))?.value).toBe('missed')
    expect(reports.at(-1)).toMatchObject({ kind: 'skipped', key: KEY, why: 'invalid-value' })
  })
})

describe('budgets', () => {
  it.for<readonly [ChaosOperation, (guard: Guard, clock: FakeClock) => unknown, unknown]>([
    ['get', (guard) => guard.get(KEY), undefined],
    ['lease', (guard) => guard.lease(), Number.NaN],
    ['put', (guard, clock) => guard.put(entryOf(clock, 'users', 'a', 1)), true],
    ['remove', (guard) => guard.remove({ kind: 'all' }), 0],
    ['sweep', (guard, clock) => guard.sweep(clock.now(), 10), 0],
  ])('%s is waited for no longer than the budget', async ([operation, call, otherwise]) => {
    const { guard, broken, clock, reports } = overChaos()
    broken.hang(operation, { times: 1 })
    expect(await call(guard, clock)).toEqual(otherwise)
    expect(reports).toMatchObject([{ kind: 'failed', operation }])
    broken.heal()
  })

  it('a tier of this machine may take its time to write: it gives up by itself', async () => {
    const slow = { ...plainTier(), put: () => new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 60)) }
    const { guard, clock, reports } = guarded(slow)
    expect(await guard.put(entryOf(clock, 'users', 'a', 1))).toBe(true)
    expect(reports).toEqual([])
  })
})

describe('states', () => {
  it('a new file in place of a damaged one is told, until something worked', async () => {
    let report: (news: TierReport) => void = () => {}
    const tier = { ...plainTier(), attach: (host: { report: typeof report }) => void (report = host.report) }
    const { guard, states } = guarded(tier)
    report({ kind: 'quarantined', reason: 'moved aside' })
    expect(guard.status).toMatchObject({ state: 'quarantined', reason: 'moved aside' })
    await guard.get(KEY)
    expect(states).toEqual(['quarantined', 'up'])
  })

  it('closed, it probes no more', async () => {
    const { guard, broken, clock } = overChaos()
    broken.fail('get')
    for (let i = 0; i < 3; i++) await guard.get(KEY)
    expect(clock.timers).toBe(1)
    await guard.close()
    expect(clock.timers).toBe(0)
  })

  it('disabled, it touches nothing, not even to attach or close', async () => {
    const calls: string[] = []
    const tier = new Proxy(plainTier(), {
      get: (target, name) => {
        if (typeof target[name as 'get'] === 'function') calls.push(String(name))
        return target[name as 'get']
      },
    })
    const { guard, clock } = guarded(tier, { disabled: true })
    expect(await guard.get(KEY)).toBeUndefined()
    expect(await guard.put(entryOf(clock, 'users', 'a', 1))).toBe(true)
    expect(await guard.remove({ kind: 'all' })).toBe(0)
    guard.forget('all')
    await guard.close()
    expect(calls).toEqual([])
    expect(guard.status).toMatchObject({ state: 'disabled', journal: { items: 0 } })
  })
})

describe('claims and changes of a shared tier', () => {
  const claims = (acquire: Claims['acquire']): Tier => ({
    ...plainTier(),
    claims: { acquire, release: () => Promise.reject(new Error('lost')) },
  })

  it('a claim that cannot be asked for is granted: it saves work, leases guard correctness', async () => {
    const refusing = guarded(claims(() => Promise.resolve(false)))
    expect(await refusing.guard.claims?.acquire(KEY, 'me', 0)).toBe(false)
    for (const acquire of [() => Promise.reject(new Error('down')), () => new Promise<boolean>(() => {})]) {
      const { guard } = guarded(claims(acquire))
      expect(await guard.claims?.acquire(KEY, 'me', 0)).toBe(true)
      expect(await guard.claims?.release(KEY, 'me')).toBeUndefined()
    }
  })

  it('a feed that cannot be asked means that everything may have changed', async () => {
    for (const check of [
      () => Promise.reject(new Error('down')),
      () => new Promise<void>(() => {}),
      () => {
        throw new Error('down')
      },
    ] as (() => Promise<void>)[]) {
      const { guard } = guarded({ ...plainTier(), feed: { check, poll: () => () => {}, listen: () => {} } })
      const told: ChangedSlots[] = []
      guard.feed?.listen((changed) => told.push(changed))
      await guard.feed?.check()
      expect(told).toEqual(['all'])
    }
  })
})

/** A tier of this machine that holds nothing. */
function plainTier(): Tier {
  return {
    name: 'plain',
    capabilities: { persistent: false, shared: false, sync: true },
    get: () => undefined,
    lease: () => 0,
    put: () => true,
    remove: () => 0,
    // oxlint-disable-next-line require-yield
    async *keys() {},
    count: () => 0,
    sweep: () => 0,
    close: () => {},
  }
}
