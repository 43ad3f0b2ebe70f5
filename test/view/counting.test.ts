// Counts, events and explanations of a view.

import { describe, expect, it } from 'vitest'
import { memory } from 'tidemark'
import { pgRevision } from 'tidemark/postgres'
import { FakeClock } from 'tidemark/testing'
import { deferred, settled, subject } from '../contract/stacks.ts'
import { hub } from './hub.ts'

describe('stats', () => {
  it('every read is a hit or a miss; stale and partial ones are told apart', async () => {
    const { view, source, tide } = hub()
    await view.read() // miss
    await view.read() // hit
    source.progress = 1
    await view.read() // partial
    source.core = 1
    await view.read() // stale
    await settled()
    await view.read() // hit
    await view.read({ refresh: true }) // miss
    source.failing.progress = new Error('down')
    source.progress = 2
    await view.read() // partial that failed: the last snapshot
    source.failing.revisions = new Error('down')
    await view.read() // nobody could say
    await view.invalidate('all')
    await view.reset()
    const stats = await view.stats()
    expect(stats).toMatchObject({
      requests: 8,
      hits: 4,
      hitsByTier: { view: 4 },
      staleHits: 2,
      misses: 4,
      partials: 2,
      fallbacks: 2,
      loads: 7,
      loadFailures: 1,
      invalidations: 1,
      deletes: 1,
    })
    expect((await tide.stats()).names['summary']).toEqual(stats)
  })

  it('a build under way counts as loading', async () => {
    const { view, source, tide } = hub()
    const gate = deferred<undefined>()
    source.holding.core = gate.promise
    const reading = view.read()
    await settled()
    expect((await tide.stats()).loading).toBe(1)
    gate.resolve(undefined)
    await reading
    expect((await tide.stats()).loading).toBe(0)
  })
})

describe('events', () => {
  it('tell of every read, every section built, and every failure', async () => {
    const { view, source, events } = hub()
    const { revision } = await view.read()
    source.progress = 1
    source.failing.progress = new Error('down')
    await view.read()
    await view.invalidate('core')
    await view.reset()
    expect(events).toEqual([
      { type: 'loaded', name: 'summary', key: 'core', tookMs: 0, stored: true },
      { type: 'loaded', name: 'summary', key: 'progress', tookMs: 0, stored: true },
      { type: 'view', name: 'summary', status: 'miss', reason: 'loaded', revision, moved: ['core', 'progress'] },
      {
        type: 'load-failed',
        name: 'summary',
        key: 'progress',
        tookMs: 0,
        error: source.failing.progress,
        retryAt: expect.any(Number),
      },
      { type: 'view', name: 'summary', status: 'stale', reason: 'source-unavailable', revision, moved: ['progress'] },
      { type: 'invalidated', name: 'summary', key: 'core', count: 1 },
      { type: 'deleted', name: 'summary', count: 2 },
    ])
  })
})

describe('explain', () => {
  it('says for every outcome why, and builds nothing', async () => {
    const { view, source, clock } = hub({ maxStale: '1m' })
    const reasonOf = async () => {
      const { status, reason } = await view.explain()
      return [status, reason]
    }
    expect(await reasonOf()).toEqual(['miss', 'There is no snapshot; a read waits for a build.'])
    expect(source.built).toEqual([])
    await view.read()
    expect(await reasonOf()).toEqual(['hit', 'Nothing has moved; a read gets the snapshot.'])
    source.progress = 1
    await clock.advance('2s')
    expect(await reasonOf()).toEqual(['partial', 'progress moved; a read waits for that, and gets the rest as it is.'])
    source.core = 1
    expect(await reasonOf()).toEqual([
      'stale',
      'core, progress moved within the last 2000 ms; a read gets the last snapshot, and builds behind it.',
    ])
    await clock.advance('58s')
    expect(await reasonOf()).toEqual(['miss', 'core, progress may have moved 60000 ms ago; a read waits for a build.'])
    source.failing.revisions = new Error('down')
    expect(await reasonOf()).toEqual(['miss', 'Nobody can say what has moved in the last 60000 ms; a read waits.'])
    expect((await view.explain()).error).toBe(source.failing.revisions)
    expect(source.takeBuilt()).toEqual(['core', 'progress'])
  })

  it('tells each section: what it was built from, what is there now, and until when it is known to hold', async () => {
    const { view, source, clock } = hub()
    await view.read()
    await clock.advance('5s')
    await view.read()
    source.progress = 1
    await view.invalidate('core')
    const { sections, now } = await view.explain()
    expect(sections).toEqual([
      {
        section: 'core',
        state: 'moved',
        revision: 'core-0',
        current: 'core-0',
        builtAt: now - 5_000,
        asOf: now,
        isInvalidated: true,
        rebuild: 'behind',
        tables: [],
        caveat: undefined,
      },
      {
        section: 'progress',
        state: 'moved',
        revision: 'progress-0',
        current: 'progress-1',
        builtAt: now - 5_000,
        asOf: now,
        isInvalidated: false,
        rebuild: 'now',
        tables: [],
        caveat: undefined,
      },
    ])
  })

  it('tells the build in progress, the last failure, tables, and what a revision cannot see', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const client = {
      query: async (): Promise<never> => {
        throw new Error('ECONNREFUSED')
      },
    }
    const revision = pgRevision(['app.topics'], { client, mode: 'watermark' })
    const view = tide.view({ name: 'v', sections: { a: { revision, build: () => 1 } } })
    await expect(view.read()).rejects.toThrow('ECONNREFUSED')
    expect(await view.explain()).toMatchObject({
      status: 'miss',
      error: { message: 'ECONNREFUSED' },
      sections: [{ state: 'absent', tables: ['app.topics'], caveat: 'may miss deletes and late commits' }],
    })
    const { view: other, source, clock } = hub()
    source.failing.core = new Error('down')
    await expect(other.read()).rejects.toThrow('down')
    const failed = await other.explain()
    expect(failed.lastFailure).toMatchObject({ error: source.failing.core, failures: 1 })
    expect(failed.reason).toBe('There is no snapshot; a read waits for a build; the last build failed.')
    delete source.failing.core
    source.holding.core = new Promise(() => {})
    const reading = other.read().catch(() => {})
    await settled()
    await clock.advance('3s')
    expect((await other.explain()).loading).toEqual({ since: clock.now() - 3_000 })
    await clock.advance('30s')
    await reading
  })
})
