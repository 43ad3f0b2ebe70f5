// Tiers in order that are themselves a tier: who is asked, who is written, and in which order.

import { describe, expect, it } from 'vitest'
import { memory, type Entry, type Lease, type Selector, type Tier } from 'tidemark'
import { FakeClock, chaos, type ChaosTier } from 'tidemark/testing'
import { Stack, type StackChange } from '../../src/stack/stack.ts'
import { entryOf } from '../../src/testing/tier-cases/case.ts'

const KEY = { name: 'users', id: 'a' }
const clock = new FakeClock()
const entry = (value: unknown, more: Partial<Entry> = {}): Entry => entryOf(clock, 'users', 'a', value, more)
const any = (): boolean => true

/** A stack of three tiers that note their calls, and the tiers underneath. */
function three(): { stack: Stack; below: Tier[]; chaotic: ChaosTier[]; log: string[]; changes: StackChange[] } {
  const log: string[] = []
  const below = [memory(), memory(), memory()]
  const chaotic = below.map((tier, i) => {
    const noted = chaos(tier)
    for (const operation of ['get', 'put', 'remove'] as const) {
      const call = noted[operation].bind(noted) as (...args: unknown[]) => unknown
      noted[operation] = ((...args: unknown[]) => {
        log.push(`${operation} ${i}`)
        return call(...args)
      }) as never
    }
    return noted
  })
  const stack = new Stack(chaotic, { admit: (it) => it, unstorable: (_, tier) => log.push(`unstorable ${tier}`) })
  const changes: StackChange[] = []
  stack.onChange((change) => changes.push(change))
  return { stack, below, chaotic, log, changes }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const stored = async (tiers: readonly Tier[]): Promise<unknown[]> =>
  Promise.all(tiers.map(async (tier) => (await tier.get(KEY))?.value))

describe('reading', () => {
  it('asks from the top until one is accepted, and copies that upward', async () => {
    const { stack, below, log } = three()
    await below[2]?.put(entry('deep'))
    expect(await stack.read(KEY, any)).toMatchObject({ entry: { value: 'deep' }, tier: 'chaos(memory)' })
    expect(log.filter((it) => it.startsWith('get'))).toEqual(['get 0', 'get 1', 'get 2'])
    await settled()
    expect(await stored(below)).toEqual(['deep', 'deep', 'deep'])
    log.length = 0
    await stack.read(KEY, any)
    expect(log).toEqual(['get 0'])
  })

  it('none is accepted: the one loaded last, and nothing is copied', async () => {
    const { stack, below, log } = three()
    await below[0]?.put(entry('old', { loadedAt: clock.now() - 9 }))
    await below[1]?.put(entry('newest', { loadedAt: clock.now() - 1 }))
    await below[2]?.put(entry('older', { loadedAt: clock.now() - 5 }))
    expect((await stack.read(KEY, () => false))?.entry.value).toBe('newest')
    await settled()
    expect(log.filter((it) => it.startsWith('put'))).toEqual([])
    expect(await stack.read({ name: 'users', id: 'missing' }, any)).toBeUndefined()
  })

  it('a copy stops at a tier that refuses: what is above would hold what is below no longer', async () => {
    for (const isSync of [false, true]) {
      const { below, chaotic } = three()
      const tiers = isSync ? below : chaotic
      await below[2]?.put(entry('deep'))
      const middle = tiers[1] as Tier
      middle.put = () => false
      await new Stack(tiers, { admit: (it) => it, unstorable: () => {} }).read(KEY, any)
      await settled()
      expect(await stored(below)).toEqual([undefined, undefined, 'deep'])
    }
  })
})

describe('writing', () => {
  it('a set goes into every tier in the same turn', async () => {
    const { stack, below, log } = three()
    const done = stack.put(entry('set'))
    expect(log).toEqual(['put 2', 'put 1', 'put 0'])
    expect(await done).toBe(true)
    expect(await stored(below)).toEqual(['set', 'set', 'set'])
  })

  it('a load goes from the bottom up, and no further than it is taken', async () => {
    const { stack, below, log } = three()
    const lease = await stack.lease()
    expect(await stack.put(entry('loaded'), lease)).toBe(true)
    expect(log.filter((it) => it.startsWith('put'))).toEqual(['put 2', 'put 1', 'put 0'])
    const late = await stack.lease()
    await below[1]?.remove({ kind: 'key', key: KEY })
    expect(await stack.put(entry('late', { loadedAt: clock.now() + 1 }), late)).toBe(false)
    expect(await stored(below)).toEqual(['loaded', undefined, 'late'])
  })

  it('a removal goes from the bottom up, and tells the most any tier had', async () => {
    const { stack, below, log } = three()
    await below[0]?.put(entry(1))
    await below[2]?.put(entry(1))
    await below[2]?.put(entryOf(clock, 'users', 'b', 2))
    log.length = 0
    expect(await stack.remove({ kind: 'name', name: 'users' })).toBe(2)
    expect(log).toEqual(['remove 2', 'remove 1', 'remove 0'])
  })

  it('every change is told once it is done everywhere, loads are not', async () => {
    const { stack, changes } = three()
    const selector: Selector = { kind: 'tag', tag: 't' }
    await stack.put(entry('loaded'), await stack.lease())
    expect(changes).toEqual([])
    await stack.put(entry('set'))
    await stack.remove(selector)
    expect(changes).toEqual([{ selector: { kind: 'key', key: KEY } }, { selector }])
  })
})

describe('leases', () => {
  it('are a list, one of each tier, and one that is missing is none', async () => {
    const { stack, below } = three()
    const lease = (await stack.lease()) as readonly Lease[]
    expect(lease).toHaveLength(3)
    await below[0]?.put(entryOf(clock, 'other', 'x', 1))
    const after = (await stack.lease()) as readonly number[]
    expect(stack.eraLease(lease, after)).toEqual([0, 1, 2].map((i) => ({ at: lease[i], eraAt: after[i] })))
    expect(stack.eraLease([Number.NaN, 0, 0], [1, Number.NaN, 1])).toEqual([
      Number.NaN,
      Number.NaN,
      { at: 0, eraAt: 1 },
    ])
    expect(stack.eraLease([{ at: 3, eraAt: 4 }], [9]), 'an era that ended twice').toEqual([{ at: 3, eraAt: 9 }])
  })
})

describe('lists and counts', () => {
  it('each entry once, from the highest tier that has it', async () => {
    const { stack, below } = three()
    const at = (id: string): Entry => entryOf(clock, 'users', id, id)
    for (const id of ['a', 'b']) await below[0]?.put(at(id))
    for (const id of ['b', 'c']) await below[1]?.put(at(id))
    for (const id of ['a', 'b', 'c', 'd']) await below[2]?.put(at(id))
    const listed: string[] = []
    for await (const info of stack.keys({ kind: 'all' })) listed.push(info.key.id)
    expect(listed.toSorted((a, b) => (a < b ? -1 : 1))).toEqual(['a', 'b', 'c', 'd'])
    expect(await stack.count({ kind: 'all' })).toBe(4)
  })
})
