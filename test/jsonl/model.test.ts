// Random changes by two tiers over one folder, with restarts and compactions in between, against a plain Map.

import * as fc from 'fast-check'
import { it, expect } from 'vitest'
import type { Entry, Lease, Selector } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { selects, staleFrom } from '../../src/entry.ts'
import { OpenTier, testPaths } from './tier.ts'

const nextPath = testPaths()
const KEYS = 6

const selector: fc.Arbitrary<Selector> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.nat(KEYS - 1).map((n) => ({ kind: 'key', key: { name: `n${n % 2}`, id: `k${n}` } }) as const),
  },
  { weight: 2, arbitrary: fc.nat(2).map((n) => ({ kind: 'scope', scope: `s${n}` }) as const) },
  { weight: 1, arbitrary: fc.nat(2).map((n) => ({ kind: 'scope', scope: `s${n}`, name: 'n1' }) as const) },
  { weight: 1, arbitrary: fc.nat(2).map((n) => ({ kind: 'era', era: 'e', scope: `s${n}` }) as const) },
  { weight: 2, arbitrary: fc.nat(2).map((n) => ({ kind: 'tag', tag: `t${n}` }) as const) },
  { weight: 1, arbitrary: fc.nat(1).map((n) => ({ kind: 'name', name: `n${n}` }) as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'all' } as const) },
)

const who = fc.nat(1)
const operation = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constant('set' as const), who, key: fc.nat(KEYS - 1), size: fc.nat(3) }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constant('lease' as const), who }) },
  {
    weight: 8,
    arbitrary: fc.record({ op: fc.constant('add' as const), who, key: fc.nat(KEYS - 1), lease: fc.nat(3) }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('remove' as const), who, selector }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('mark' as const), who, selector }) },
  { weight: 4, arbitrary: fc.record({ op: fc.constant('wait' as const), ms: fc.nat(400) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('sweep' as const), who }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('reopen' as const), who }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('churn' as const), who }) },
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

/** What a folder should hold, and what changed when. */
class Model {
  readonly entries = new Map<string, Entry>()
  readonly changes: Selector[] = []

  live(now: number): Map<string, Entry> {
    return new Map([...this.entries].filter(([, entry]) => now < entry.keepUntil))
  }

  set(entry: Entry): void {
    this.entries.set(entry.key.id, entry)
    this.changes.push({ kind: 'key', key: entry.key })
  }

  add(entry: Entry, since: number): boolean {
    const before = this.entries.get(entry.key.id)
    if (this.changes.slice(since).some((change) => selects(change, entry))) return false
    if (before && before.loadedAt > entry.loadedAt) return false
    this.entries.set(entry.key.id, entry)
    return true
  }

  remove(what: Selector, staleAt?: number): void {
    this.changes.push(what)
    for (const [id, entry] of this.entries) {
      if (!selects(what, entry)) continue
      if (staleAt === undefined) this.entries.delete(id)
      else this.entries.set(id, staleFrom(entry, staleAt))
    }
  }
}

function entryAt(n: number, value: unknown, clock: FakeClock): Entry {
  const now = clock.now()
  return {
    key: { name: `n${n % 2}`, id: `k${n}` },
    value,
    loadedAt: now,
    freshUntil: now + 200,
    staleUntil: now + 300,
    errorUntil: now + 400,
    keepUntil: now + 1_000,
    scope: `s${n % 3}`,
    era: 'e',
    tags: [`t${n % 3}`, 'all'],
  }
}

async function run(operations: readonly Operation[]): Promise<void> {
  const clock = new FakeClock()
  const path = nextPath()
  const model = new Model()
  const tiers = [new OpenTier(path, {}, clock), new OpenTier(path, {}, clock)] as const
  const open = [...tiers]
  const leases: { lease: Lease; since: number }[][] = [[], []]
  for (const [step, it] of operations.entries()) {
    const tier = 'who' in it ? (open[it.who] as OpenTier).tier : tiers[0].tier
    if (it.op === 'set') {
      // The largest lies in a file of its own.
      const entry = entryAt(it.key, `${step} ${'x'.repeat([0, 10, 1_000, 70_000][it.size] as number)}`, clock)
      await tier.put(entry)
      model.set(entry)
    } else if (it.op === 'lease') {
      leases[it.who]?.push({ lease: await tier.lease(), since: model.changes.length })
    } else if (it.op === 'add') {
      const taken = leases[it.who]?.at(-1 - it.lease)
      if (!taken) continue
      const entry = entryAt(it.key, `${step} loaded`, clock)
      expect(await tier.put(entry, taken.lease), `step ${step}`).toBe(model.add(entry, taken.since))
    } else if (it.op === 'remove') {
      await tier.remove(it.selector)
      model.remove(it.selector)
    } else if (it.op === 'mark') {
      await tier.remove(it.selector, clock.now())
      model.remove(it.selector, clock.now())
    } else if (it.op === 'wait') await clock.advance(it.ms)
    else if (it.op === 'sweep') await tier.sweep(clock.now(), 100)
    else if (it.op === 'reopen') {
      await tier.close()
      open[it.who] = new OpenTier(path, {}, clock)
      leases[it.who] = []
    } else {
      const churn = {
        ...entryAt(0, 'x'.repeat(30_000), clock),
        key: { name: 'churn', id: 'churn' },
        scope: 'churn',
        tags: [],
      }
      await Promise.all(Array.from({ length: 40 }, () => tier.put(churn)))
      await tier.remove({ kind: 'name', name: 'churn' })
    }
    await same(open, model, clock, step)
  }
  for (const { tier } of open) await tier.close()
  await same([new OpenTier(path, {}, clock)], model, clock, operations.length)
}

async function same(tiers: readonly OpenTier[], model: Model, clock: FakeClock, step: number): Promise<void> {
  const expected = model.live(clock.now())
  for (const [i, { tier, corrupt }] of tiers.entries()) {
    await tier.feed?.check()
    expect(corrupt).toEqual([])
    for (let n = 0; n < KEYS; n++) {
      const found = await tier.get({ name: `n${n % 2}`, id: `k${n}` })
      const { bytes: _, ...entry } = found ?? {}
      expect(found && entry, `step ${step}, tier ${i}, k${n}`).toEqual(expected.get(`k${n}`))
    }
    expect(await tier.count({ kind: 'tag', tag: 'all' })).toBe(expected.size)
  }
}

it('two tiers over one folder and a Map agree after every step', async () => {
  await fc.assert(fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 60 }), run), {
    numRuns: Number(process.env['MODEL_RUNS'] ?? 60),
    verbose: 1,
  })
}, 120_000)
