import { describe, expect, it } from 'vitest'
import {
  createTidemark,
  isTidemarkError,
  memory,
  revisioned,
  sqlite,
  type ResourceOptions,
  type Tidemark,
} from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { deferred, subject } from '../contract/stacks.ts'
import { testFolder } from '../folder.ts'

/** A table under the test's control: its revision moves with its data. */
class Table {
  n = 0
  asked = 0
  loads = 0
  readonly holding: { revision?: Promise<unknown>; load?: Promise<unknown> } = {}
  failing: { revision?: Error; load?: Error } = {}

  async revision(): Promise<number> {
    this.asked++
    // As a query does: what it found is settled before the answer arrives.
    const found = this.n
    await this.holding.revision
    if (this.failing.revision) throw this.failing.revision
    return found
  }

  async load(key: string): Promise<string> {
    this.loads++
    const read = this.n
    await this.holding.load
    if (this.failing.load) throw this.failing.load
    return `${key}${read}`
  }
}

type Options = Partial<Pick<ResourceOptions<string, string>, 'staleWhileRevalidate' | 'staleIfError' | 'timeout'>>

function over(table: Table, options: Options = {}, given?: { tide: Tidemark; clock: FakeClock }) {
  const clock = given?.clock ?? new FakeClock()
  const tide = given?.tide ?? subject({ tiers: [memory()], clock }).tide
  const rows = tide.resource({
    name: 'rows',
    load: (key: string) => table.load(key),
    freshness: revisioned(() => table.revision()),
    ...options,
  })
  return { tide, clock, rows }
}

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'none'
  } catch (error) {
    return isTidemarkError(error) ? error.code : String(error)
  }
}

const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('while the revision is the same', () => {
  it('a value is fresh, however old it is; every read asks', async () => {
    const table = new Table()
    const { rows, clock } = over(table)
    expect(await rows.read('a')).toMatchObject({ value: 'a0', reason: 'loaded', revision: '0' })
    await clock.advance(86_400_000)
    expect(await rows.read('a')).toMatchObject({ value: 'a0', reason: 'hit', revision: '0', tier: 'memory' })
    expect(await rows.get('a')).toBe('a0')
    expect(table).toMatchObject({ loads: 1, asked: 3 })
  })

  it('readers at the same time share the asking: one round under way, one after it', async () => {
    const table = new Table()
    const { rows } = over(table)
    await rows.getMany(['a', 'b'])
    table.asked = 0
    await Promise.all(Array.from({ length: 100 }, (_, i) => rows.get(i % 2 === 0 ? 'a' : 'b')))
    expect(table).toMatchObject({ asked: 2, loads: 2 })
  })

  it('it survives a restart, and is found to hold', async () => {
    const table = new Table()
    const path = `${testFolder()}/cache.db`
    const open = () => {
      const clock = new FakeClock()
      return over(table, {}, { clock, tide: createTidemark({ tiers: [memory(), sqlite({ path })], clock }) })
    }
    const first = open()
    await first.rows.get('a')
    await first.tide.close()
    const second = open()
    expect(await second.rows.read('a')).toMatchObject({ value: 'a0', reason: 'hit', tier: 'sqlite' })
    table.n++
    expect(await second.rows.read('a')).toMatchObject({ value: 'a1', reason: 'loaded' })
    await second.tide.close()
  })

  it('peek knows nothing, because it cannot ask; stored asks', async () => {
    const table = new Table()
    const { rows } = over(table)
    await rows.get('a')
    expect(rows.peek('a')).toBeUndefined()
    expect(await rows.stored('a')).toBe('a0')
    table.n++
    expect(await rows.stored('a')).toBeUndefined()
    expect(await rows.stored('a', { stale: true })).toBe('a0')
  })
})

describe('when the revision has moved', () => {
  it('the very next read of each key loads', async () => {
    const table = new Table()
    const { rows } = over(table)
    await rows.getMany(['a', 'b'])
    table.n++
    expect(await rows.getMany(['a', 'b', 'b'])).toEqual(['a1', 'b1', 'b1'])
    expect(table.loads).toBe(4)
  })

  it('a value belongs to the revision read before its load, also when the source moves during it', async () => {
    const table = new Table()
    const { rows } = over(table)
    const { promise, resolve } = deferred<undefined>()
    table.holding.load = promise
    const reading = rows.read('a')
    while (table.loads === 0) await settled()
    table.n++
    resolve(undefined)
    expect(await reading).toMatchObject({ value: 'a0', revision: '0' })
    expect(await rows.get('a')).toBe('a1')
  })

  it('who was told the new revision does not join a load that began before it', async () => {
    const table = new Table()
    const { rows } = over(table)
    const { promise, resolve } = deferred<undefined>()
    table.holding.load = promise
    const before = rows.get('a')
    while (table.loads === 0) await settled()
    table.n++
    const after = Array.from({ length: 20 }, () => rows.get('a'))
    while (table.asked < 3) await settled()
    resolve(undefined)
    expect(await before).toBe('a0')
    expect(new Set(await Promise.all(after))).toEqual(new Set(['a1']))
    expect(table.loads).toBe(2)
  })

  it('within staleWhileRevalidate, counted from when it was last known to hold, it is handed out', async () => {
    const table = new Table()
    const { rows, clock } = over(table, { staleWhileRevalidate: '1m' })
    await rows.get('a')
    await clock.advance(3_600_000)
    await rows.get('a')
    table.n++
    await clock.advance(59_000)
    expect(await rows.read('a')).toMatchObject({ value: 'a0', reason: 'revalidating', revision: '0' })
    await settled()
    expect(await rows.read('a')).toMatchObject({ value: 'a1', reason: 'hit' })
    table.n++
    await clock.advance(61_000)
    expect(await rows.read('a')).toMatchObject({ value: 'a2', reason: 'loaded' })
  })

  it('a failed load is answered with the old value within staleIfError', async () => {
    const table = new Table()
    const { rows, clock } = over(table, { staleIfError: '1h' })
    await rows.get('a')
    table.n++
    table.failing.load = new Error('down')
    const reading = await rows.read('a')
    expect(reading).toMatchObject({ value: 'a0', state: 'stale', reason: 'source-unavailable', revision: '0' })
    await clock.advance(3_600_000)
    await expect(rows.get('a')).rejects.toThrow('down')
  })

  it('explain says so', async () => {
    const table = new Table()
    const { rows } = over(table, { staleIfError: '1h' })
    await rows.get('a')
    expect(await rows.explain('a')).toMatchObject({ state: 'fresh' })
    table.n++
    const moved = await rows.explain('a')
    expect(moved).toMatchObject({
      state: 'fallback',
      reason: expect.stringContaining('revision of its source has moved'),
    })
    table.failing.revision = new Error('down')
    expect((await rows.explain('a')).reason).toContain('nobody can tell the revision')
    expect(table.loads).toBe(1)
  })
})

describe('when nobody can tell the revision', () => {
  it('a slow answer is waited for once, then readers get what was known last', async () => {
    const table = new Table()
    const { rows, clock } = over(table, { staleIfError: '1h', timeout: { soft: '250ms' } })
    await rows.get('a')
    const { promise, resolve } = deferred<undefined>()
    table.holding.revision = promise
    const waiting = rows.read('a')
    await settled()
    await clock.advance(250)
    const unknown = { value: 'a0', state: 'stale', reason: 'source-slow', revision: 'unknown' }
    expect(await waiting).toMatchObject(unknown)
    expect(await rows.read('a')).toMatchObject(unknown)
    resolve(undefined)
    await settled()
    expect(await rows.read('a')).toMatchObject({ value: 'a0', reason: 'hit', revision: '0' })
    expect(table.loads).toBe(1)
  })

  it('a failure is answered with what was known last, as long as that may be', async () => {
    const table = new Table()
    const { rows, clock } = over(table, { staleIfError: '1h' })
    await rows.get('a')
    await clock.advance(600_000)
    await rows.get('a')
    table.failing.revision = new Error('down')
    await clock.advance(3_599_000)
    const reading = await rows.read('a')
    expect(reading).toMatchObject({ value: 'a0', reason: 'source-unavailable', revision: 'unknown' })
    expect(reading.error).toBe(table.failing.revision)
    await clock.advance(1_000)
    await expect(rows.get('a')).rejects.toThrow('down')
  })

  it('without windows, and for what is not known, the failure is the reader’s', async () => {
    const table = new Table()
    const { rows } = over(table)
    await rows.get('a')
    table.failing.revision = new Error('down')
    await expect(rows.get('a')).rejects.toThrow('down')
    await expect(rows.get('b')).rejects.toThrow('down')
    await expect(rows.get('a', { refresh: true })).rejects.toThrow('down')
    expect(table.loads).toBe(1)
  })
})

describe('with everything else', () => {
  it('refresh loads from the revision as it is now', async () => {
    const table = new Table()
    const { rows } = over(table)
    await rows.get('a')
    table.n++
    expect(await rows.read('a', { refresh: true })).toMatchObject({ value: 'a1', revision: '1' })
    expect(await rows.read('a')).toMatchObject({ value: 'a1', reason: 'hit' })
  })

  it('invalidate and delete count whatever the revision says', async () => {
    const table = new Table()
    const { rows } = over(table)
    await rows.get('a')
    await rows.invalidate('a')
    expect(await rows.read('a')).toMatchObject({ reason: 'loaded' })
    await rows.delete('a')
    expect(await rows.read('a')).toMatchObject({ reason: 'loaded' })
    expect(table.loads).toBe(3)
  })

  it('what is set has no revision: it is there for the worst case only', async () => {
    const table = new Table()
    const { rows } = over(table, { staleIfError: '1h' })
    await rows.set('a', 'mine')
    table.failing.load = new Error('down')
    expect(await rows.read('a')).toMatchObject({ value: 'mine', reason: 'source-unavailable' })
    table.failing = {}
    expect(await rows.get('a', { refresh: true })).toBe('a0')
  })

  it('is refused where it cannot be', () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const load = (key: string): string => key
    expect(codeOf(() => revisioned('topics' as never))).toBe('invalid-option')
    const freshness = revisioned(() => 1)
    const sourceFirst = () => tide.resource({ name: 'a', load, freshness, strategy: 'source-first' })
    expect(codeOf(sourceFirst)).toBe('invalid-option')
  })
})
