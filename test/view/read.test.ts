// The four outcomes of a read, and what it tells.

import { describe, expect, it } from 'vitest'
import { isTidemarkError, memory } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { deferred, settled, subject } from '../contract/stacks.ts'
import { hub } from './hub.ts'

describe('read', () => {
  it('builds the first time, and is a hit as long as nothing moves, however old it is', async () => {
    const { view, source, clock } = hub()
    const first = await view.read()
    expect(first).toMatchObject({ value: { core: { n: 0 }, progress: [0] }, status: 'miss', reason: 'loaded' })
    expect(first.sections).toMatchObject({ core: { state: 'rebuilt' }, progress: { state: 'rebuilt' } })
    await clock.jump('30d')
    const later = await view.read()
    expect(later).toEqual({
      value: first.value,
      status: 'hit',
      reason: 'hit',
      revision: first.revision,
      etag: first.etag,
      age: 30 * 86_400_000,
      staleFor: 0,
      builtAt: first.builtAt,
      sections: {
        core: { revision: 'core-0', builtAt: first.builtAt, age: 30 * 86_400_000, state: 'same' },
        progress: { revision: 'progress-0', builtAt: first.builtAt, age: 30 * 86_400_000, state: 'same' },
      },
    })
    expect(source.built).toEqual(['core', 'progress'])
  })

  it('rebuilds a small section that moved, alone, before it answers', async () => {
    const { view, source, clock } = hub()
    const first = await view.read()
    source.progress = 1
    await clock.advance('1s')
    source.takeBuilt()
    const second = await view.read()
    expect(second).toMatchObject({ value: { core: { n: 0 }, progress: [1] }, status: 'partial', reason: 'loaded' })
    expect(second.sections).toMatchObject({
      core: { state: 'same', age: 1_000 },
      progress: { state: 'rebuilt', age: 0 },
    })
    expect(second).toMatchObject({ age: 1_000, staleFor: 0, builtAt: clock.now() })
    expect(second.revision).not.toBe(first.revision)
    expect(source.takeBuilt()).toEqual(['progress'])
    expect((await view.read()).status).toBe('hit')
  })

  it('hands out the last snapshot at once when the main section moved, and rebuilds behind the reader', async () => {
    const { view, source, clock } = hub()
    const first = await view.read()
    await clock.advance('10s')
    source.core = 1
    source.progress = 1
    const gate = deferred<undefined>()
    source.holding.core = gate.promise
    source.takeBuilt()
    const second = await view.read()
    expect(second).toMatchObject({ value: first.value, status: 'stale', reason: 'revalidating', staleFor: 10_000 })
    expect(second.revision).toBe(first.revision)
    expect(second.sections).toMatchObject({ core: { state: 'moved' }, progress: { state: 'moved' } })
    gate.resolve(undefined)
    await settled()
    expect(source.takeBuilt()).toEqual(['core', 'progress'])
    expect(await view.read()).toMatchObject({ value: { core: { n: 1 }, progress: [1] }, status: 'hit' })
  })

  it('one refresh behind readers at a time', async () => {
    const { view, source } = hub()
    await view.read()
    source.takeBuilt()
    source.core = 1
    const gate = deferred<undefined>()
    source.holding.core = gate.promise
    for (let i = 0; i < 20; i++) expect((await view.read()).status).toBe('stale')
    source.core = 2
    expect((await view.read()).status).toBe('stale')
    expect(source.takeBuilt()).toEqual(['core'])
    gate.resolve(undefined)
    await settled()
    // What was built is from before the last change, and known to be.
    expect((await view.read()).value.core).toEqual({ n: 1 })
    await settled()
    expect(await view.read()).toMatchObject({ status: 'hit', value: { core: { n: 2 } } })
  })

  it('rebuild says for each section whether readers wait for it', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    let revision = 0
    const section = (rebuild?: 'behind' | 'now') => ({ revision: () => revision, rebuild, build: () => revision })
    const statusOf = async (name: string, sections: Record<string, ReturnType<typeof section>>): Promise<string> => {
      const view = tide.view({ name, sections })
      await view.read()
      revision++
      return (await view.read()).status
    }
    expect(await statusOf('one', { a: section() })).toBe('stale')
    expect(await statusOf('one now', { a: section('now') })).toBe('partial')
    expect(await statusOf('two', { a: section(), b: section() })).toBe('stale')
    expect(await statusOf('two now', { a: section('now'), b: section('now') })).toBe('partial')
    expect(await statusOf('behind', { a: section('now'), b: section('behind') })).toBe('stale')
  })

  it('get is the value of a read', async () => {
    const { view } = hub()
    expect(await view.get()).toEqual({ core: { n: 0 }, progress: [0] })
    expect(await view.get({ refresh: true })).toBe(await view.get())
  })

  it('combine makes the value of the sections, once a build', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    let [combined, moved] = [0, 0]
    const view = tide.view({
      name: 'summary',
      sections: {
        core: { revision: () => 'same', build: () => ({ open: 3 }) },
        recent: { revision: () => moved, build: () => [moved] },
      },
      combine: ({ core, recent }) => {
        combined++
        return { ...core, recent, total: core.open + recent.length }
      },
    })
    expect(await view.get()).toEqual({ open: 3, recent: [0], total: 4 })
    await view.get()
    await view.get()
    expect(combined).toBe(1)
    moved = 1
    expect(await view.get()).toEqual({ open: 3, recent: [1], total: 4 })
    expect(combined).toBe(2)
  })

  it('an error of combine is the readers’, and keeps the snapshot that was there', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    let fails = true
    const sections = { only: { revision: () => Number(fails), build: () => 1 } }
    const combine = ({ only }: { only: number }): number => {
      if (fails) throw new Error('cannot combine')
      return only
    }
    const view = tide.view({ name: 'v', sections, combine })
    await expect(view.read()).rejects.toThrow('cannot combine')
    fails = false
    expect(await view.get()).toBe(1)
    fails = true
    expect(await view.read()).toMatchObject({ value: 1, status: 'stale' })
  })

  it('hands builders what they need', async () => {
    const { tide, events } = subject({ tiers: [memory()], clock: new FakeClock() })
    const given: unknown[] = []
    let revision = 0
    const view = tide.view({
      name: 'v',
      sections: {
        a: {
          revision: () => revision,
          rebuild: 'now',
          build: ({ progress, ...context }) => {
            progress(1, 2)
            given.push(context)
            return { revision }
          },
        },
      },
    })
    await view.read()
    revision = 1
    await view.read()
    const signal = expect.any(AbortSignal)
    expect(given).toEqual([
      { signal, sections: {}, revision: '0', previous: undefined },
      { signal, sections: {}, revision: '1', previous: { revision: 0 } },
    ])
    expect(events.filter(({ type }) => type === 'progress')).toHaveLength(2)
  })

  it('refuses undefined, misspelt options, and to work once it is closed', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const empty = tide.view({ name: 'v', sections: { a: { revision: () => 1, build: () => undefined } } })
    expect(isTidemarkError(await failureOf(empty.read()), 'load-returned-undefined')).toBe(true)
    const { view, tide: other } = hub()
    expect(isTidemarkError(await failureOf(view.read({ force: true } as never)), 'unknown-option')).toBe(true)
    await other.close()
    for (const call of [view.read(), view.reset(), view.invalidate('all'), view.revisions(), view.explain()])
      expect(isTidemarkError(await failureOf(call), 'closed')).toBe(true)
  })
})

describe('revisions', () => {
  it('tells what a snapshot built now would have, and builds nothing', async () => {
    const { view, source } = hub()
    const { combined, sections } = await view.revisions()
    expect(sections).toEqual({ core: 'core-0', progress: 'progress-0' })
    expect(source.built).toEqual([])
    expect((await view.read()).revision).toBe(combined)
    source.progress = 1
    expect((await view.revisions()).combined).not.toBe(combined)
  })

  it('differs by version, so that what older builders made is not taken for it', async () => {
    const revisionsOf = async (version?: string | number) => (await hub({ version }).view.revisions()).combined
    expect(new Set([await revisionsOf(), await revisionsOf(1), await revisionsOf('2')]).size).toBe(3)
    expect(await revisionsOf(1)).toBe(await revisionsOf('1'))
  })
})

function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}
