// From any tier to any other: everything comes along, nothing newer is lost, and what stays behind is counted.

import { describe, expect, it } from 'vitest'
import { migrate, type Entry, type MigrateReport } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { VALUES } from '../../src/testing/tier-cases/values.ts'
import { contents, entryOf, fill, newPlace, opened, tierKinds, type Kind } from './kinds.ts'

const kinds = await tierKinds()
const pairs = kinds.flatMap((from) => kinds.map((to) => ({ from, to, name: `${from.kind} to ${to.kind}` })))

const NOTHING = { copied: 0, expired: 0, older: 0, tooLarge: 0, damaged: 0, unopened: 0, otherEra: 0, changed: 0 }

/** One migration, as a process of its own would run it. */
function run(
  from: readonly [Kind, number],
  to: readonly [Kind, number],
  clock: FakeClock,
  more: {
    readonly dryRun?: boolean
    readonly name?: string
    readonly onProgress?: (done: number, total: number) => void
  } = {},
): Promise<MigrateReport> {
  return opened(from[0], from[1], clock, (source) =>
    opened(to[0], to[1], clock, (target) => migrate({ from: source, to: target, secrets: {}, clock, ...more })),
  )
}

/** Of every kind, with every time and group an entry can have. */
function everything(clock: FakeClock): Entry[] {
  const now = clock.now()
  const times = { freshUntil: now + 1_000, staleUntil: now + 2_000, errorUntil: now + 3_000, keepUntil: now + 90_000 }
  return [
    ...Object.entries(VALUES).map(([kind, make]) => entryOf(clock, kind, make())),
    entryOf(
      clock,
      'grouped',
      { n: 1 },
      { ...times, scope: 'unit', tags: ['a', 'b'], revision: 'r7', loadedAt: now - 5 },
    ),
    entryOf(clock, '["unit",3]', { n: 2 }, { scope: 'unit', era: 'memory', identity: ['01110000', null, 7] }),
    entryOf(clock, 'stale', { n: 3 }, { freshUntil: now - 10, staleAt: now - 10, scope: 'unit' }),
    entryOf(clock, 'unit', { total: 1 }, { key: { name: 'things#head', id: 'unit' }, era: 'memory', scope: 'unit' }),
    entryOf(clock, 'x', 'of another name', { key: { name: 'thingsandmore', id: 'x' } }),
  ]
}

describe.for(pairs)('$name', ({ from, to }) => {
  it('copies everything with its absolute times and groups; run again, it finds nothing to do', async () => {
    const clock = new FakeClock()
    const [here, there] = [newPlace(), newPlace()]
    await fill(from, here, clock, everything(clock))
    const before = await contents(from, here, clock)
    const total = Object.keys(before).length
    expect(total).toBe(everything(clock).length)
    const dry = await run([from, here], [to, there], clock, { dryRun: true })
    expect(dry).toEqual({ ...NOTHING, copied: total, evicted: 0, problems: [] })
    expect(await contents(to, there, clock)).toEqual({})
    await clock.advance(500)
    expect(await run([from, here], [to, there], clock)).toEqual(dry)
    expect(await contents(to, there, clock)).toEqual(before)
    expect(await contents(from, here, clock)).toEqual(before)
    const again = await run([from, here], [to, there], clock)
    expect(again).toEqual({ ...NOTHING, older: total, evicted: 0, problems: [] })
    const scoped = await opened(to, there, clock, (tier) => tier.count({ kind: 'scope', scope: 'unit' }))
    expect(scoped).toBe(4)
    expect(await opened(to, there, clock, (tier) => tier.count({ kind: 'tag', tag: 'b' }))).toBe(1)
    expect(await opened(to, there, clock, (tier) => tier.count({ kind: 'era', era: 'memory', scope: 'unit' }))).toBe(2)
  })

  it('never replaces what is newer, brings what is newer, and brings an invalidation', async () => {
    const clock = new FakeClock()
    const [here, there] = [newPlace(), newPlace()]
    const [older, newer] = [clock.now(), clock.now() + 1_000]
    await clock.advance(2_000)
    const stale = { freshUntil: newer + 5, staleAt: newer + 5 }
    await fill(from, here, clock, [
      entryOf(clock, 'kept', 'old', { loadedAt: older }),
      entryOf(clock, 'brought', 'new', { loadedAt: newer }),
      entryOf(clock, 'marked', 'same', { loadedAt: older, ...stale }),
    ])
    await fill(to, there, clock, [
      entryOf(clock, 'kept', 'new', { loadedAt: newer }),
      entryOf(clock, 'brought', 'old', { loadedAt: older }),
      entryOf(clock, 'marked', 'same', { loadedAt: older }),
    ])
    const report = await run([from, here], [to, there], clock)
    expect(report).toMatchObject({ ...NOTHING, copied: 2, older: 1 })
    const found = await contents(to, there, clock)
    expect([found['things kept']?.value, found['things brought']?.value]).toEqual(['new', 'new'])
    expect(found['things marked']).toMatchObject(stale)
    expect(await run([from, here], [to, there], clock)).toMatchObject({ ...NOTHING, older: 3 })
  })

  it('with a name, copies what belongs to it and nothing else', async () => {
    const clock = new FakeClock()
    const [here, there] = [newPlace(), newPlace()]
    await fill(from, here, clock, everything(clock))
    await run([from, here], [to, there], clock, { name: 'things' })
    const names = new Set(Object.values(await contents(to, there, clock)).map(({ key }) => key.name))
    expect(names).toEqual(new Set(['things', 'things#head']))
  })

  it('leaves what is of another life of an era, in either direction, and copies the rest of the scope', async () => {
    const clock = new FakeClock()
    const [here, there] = [newPlace(), newPlace()]
    const event = (index: number, time: string, more: Partial<Entry> = {}): Entry =>
      entryOf(clock, `["unit",${index}]`, { time }, { scope: 'unit', era: 'memory', identity: ['0111', time], ...more })
    const waveforms = (entry: Entry): Entry => ({ ...entry, key: { name: 'waveforms', id: entry.key.id } })
    await fill(from, here, clock, [
      event(0, 'mon'),
      event(1, 'mon'),
      event(2, 'mon'),
      entryOf(clock, 'info', 1, { scope: 'unit' }),
    ])
    // Of the target's second life only a waveform is there: the names differ, the things do too.
    await fill(to, there, clock, [waveforms(event(0, 'tue'))])
    const report = await run([from, here], [to, there], clock)
    expect(report).toMatchObject({ ...NOTHING, copied: 1, otherEra: 3 })
    expect(report.problems).toHaveLength(3)
    expect(Object.keys(await contents(to, there, clock)).toSorted()).toEqual(['things info', 'waveforms ["unit",0]'])
    expect(await run([to, there], [from, here], clock)).toMatchObject({ ...NOTHING, otherEra: 1, older: 1 })
  })
})

describe.for(kinds.filter(({ kind }) => kind !== 'redis'))('from $kind', (from) => {
  it('counts what is past its time', async () => {
    const clock = new FakeClock()
    const [here, there] = [newPlace(), newPlace()]
    const soon = clock.now() + 100
    const short = { freshUntil: soon, staleUntil: soon, errorUntil: soon, keepUntil: soon }
    await fill(from, here, clock, [entryOf(clock, 'short', 1, short), entryOf(clock, 'long', 1)])
    await clock.advance(100)
    const to = kinds.find(({ kind }) => kind === 'sqlite') as Kind
    expect(await run([from, here], [to, there], clock)).toMatchObject({ ...NOTHING, copied: 1, expired: 1 })
    expect(Object.keys(await contents(to, there, clock))).toEqual(['things long'])
  })
})
