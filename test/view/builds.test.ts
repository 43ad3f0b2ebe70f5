// Who shares which build, and what becomes of one that is overtaken.

import { describe, expect, it } from 'vitest'
import { isTidemarkError, memory, type View } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { deferred, settled, subject } from '../contract/stacks.ts'
import { hub, type Sections } from './hub.ts'

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('shared builds', () => {
  it('200 concurrent cold readers: one build, and two rounds of questions [summary 5]', async () => {
    const { view, source } = hub()
    const readings = await Promise.all(Array.from({ length: 200 }, () => view.read()))
    expect(source.built).toEqual(['core', 'progress'])
    expect(new Set(readings.map(({ value }) => value)).size).toBe(1)
    expect(source.asked).toBeLessThanOrEqual(4)
  })

  it('concurrent readers of a section that moved: one build of it', async () => {
    const { view, source } = hub()
    await view.read()
    source.takeBuilt()
    source.progress = 1
    const gate = deferred<undefined>()
    source.holding.progress = gate.promise
    const reading = Promise.all(Array.from({ length: 50 }, () => view.read()))
    await settled()
    gate.resolve(undefined)
    const readings = await reading
    expect(source.takeBuilt()).toEqual(['progress'])
    expect(readings.every(({ status, value }) => status === 'partial' && value.progress[0] === 1)).toBe(true)
  })

  it('a reader who knows of a later change waits for a build from after it', async () => {
    const { view, source } = hub()
    const gate = deferred<undefined>()
    source.holding.core = gate.promise
    const early = view.read()
    await settled()
    source.core = 1
    const late = view.read()
    await settled()
    expect(source.built).toEqual(['core', 'progress'])
    gate.resolve(undefined)
    expect((await early).value.core).toEqual({ n: 0 })
    expect((await late).value.core).toEqual({ n: 1 })
    expect(source.built).toEqual(['core', 'progress', 'core'])
  })

  it('waiters share a failure, and the next reader tries again', async () => {
    const { view, source } = hub()
    source.failing.core = new Error('refused')
    const gate = deferred<undefined>()
    source.holding.core = gate.promise
    const reading = Promise.all([view.read(), view.read(), view.read()].map(failureOf))
    await settled()
    gate.resolve(undefined)
    const failures = await reading
    expect(failures).toEqual([source.failing.core, source.failing.core, source.failing.core])
    expect(source.built).toEqual(['core', 'progress'])
    delete source.failing.core
    expect((await view.read()).status).toBe('miss')
  })

  it('a builder that fails stops the others: their signal is aborted', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const aborted = deferred<unknown>()
    const view = tide.view({
      name: 'v',
      sections: {
        slow: {
          revision: () => 1,
          build: ({ signal }) =>
            new Promise((_, reject) => signal.addEventListener('abort', () => reject(aborted.resolve(signal.reason)))),
        },
        fails: {
          revision: () => 1,
          build: async () => {
            throw new Error('broken')
          },
        },
      },
    })
    await expect(view.read()).rejects.toThrow('broken')
    expect(await aborted.promise).toMatchObject({ message: 'broken' })
  })
})

describe('refresh', () => {
  it('builds every section anew, beginning after the call', async () => {
    const { view, source } = hub()
    await view.read()
    source.takeBuilt()
    expect(await view.read({ refresh: true })).toMatchObject({
      status: 'miss',
      sections: { core: { state: 'rebuilt' }, progress: { state: 'rebuilt' } },
    })
    expect(source.takeBuilt()).toEqual(['core', 'progress'])
  })

  it('a button that is hit ten times costs two builds, and each gets one from after its click', async () => {
    const { view, source } = hub()
    await view.read()
    source.takeBuilt()
    const gate = deferred<undefined>()
    source.holding.core = gate.promise
    const first = view.read({ refresh: true })
    await settled()
    // Nothing that a revision tells: only who asks for it gets it.
    const others = Promise.all(Array.from({ length: 9 }, () => view.read({ refresh: true })))
    await settled()
    gate.resolve(undefined)
    await Promise.all([first, others])
    expect(source.takeBuilt()).toEqual(['core', 'progress', 'core', 'progress'])
  })

  it('its failure is the caller’s, whatever is there; the snapshot stays', async () => {
    const { view, source } = hub()
    await view.read()
    source.failing.progress = new Error('down')
    await expect(view.read({ refresh: true })).rejects.toThrow('down')
    expect((await view.read()).status).toBe('hit')
  })
})

describe('invalidate', () => {
  it('the section moves for the very next read, before it is awaited; the others do not', async () => {
    const { view, source } = hub()
    await view.read()
    source.takeBuilt()
    void view.invalidate('progress')
    expect(await view.read()).toMatchObject({ status: 'partial', sections: { core: { state: 'same' } } })
    expect(source.takeBuilt()).toEqual(['progress'])
    expect((await view.read()).status).toBe('hit')
  })

  it('the main section: the last snapshot is handed out as stale, not thrown away [summary 3]', async () => {
    const { view, source } = hub()
    const { value } = await view.read()
    source.takeBuilt()
    await view.invalidate('core')
    expect(await view.read()).toMatchObject({ status: 'stale', value, sections: { progress: { state: 'same' } } })
    await settled()
    expect(source.takeBuilt()).toEqual(['core'])
    expect((await view.read()).status).toBe('hit')
    await view.invalidate('all')
    expect((await view.read()).status).toBe('stale')
    await settled()
    expect(source.takeBuilt()).toEqual(['core', 'progress'])
  })

  it('while it is being built: what was under way does not do for readers that come later', async () => {
    const { view, source } = hub()
    await view.read()
    source.progress = 1
    source.takeBuilt()
    const gate = deferred<undefined>()
    source.holding.progress = gate.promise
    const early = view.read()
    await settled()
    void view.invalidate('progress')
    const late = view.read()
    await settled()
    gate.resolve(undefined)
    await Promise.all([early, late])
    expect(source.takeBuilt()).toEqual(['progress', 'progress'])
    expect((await view.read()).status).toBe('hit')
  })

  it('says which sections there are', async () => {
    const { view } = hub()
    const error = await failureOf(view.invalidate('cores' as never))
    expect(isTidemarkError(error, 'invalid-option')).toBe(true)
    expect((error as Error).message).toContain("'all' or one of core, progress")
  })
})

describe('reset', () => {
  it('forgets everything: the next reader builds', async () => {
    const { view, source } = hub()
    await view.read()
    source.takeBuilt()
    await view.reset()
    expect((await view.read()).status).toBe('miss')
    expect(source.takeBuilt()).toEqual(['core', 'progress'])
  })

  it('while a build is under way: its waiters get it, it is kept nowhere, and who comes later starts anew [summary 7]', async () => {
    const { view, source } = hub()
    const gate = deferred<undefined>()
    source.holding.core = gate.promise
    const early = view.read()
    await settled()
    await view.reset()
    delete source.holding.core
    const late = await view.read()
    expect(late.status).toBe('miss')
    gate.resolve(undefined)
    expect(await early).toMatchObject({ status: 'miss', value: { core: { n: 0 } } })
    expect(source.takeBuilt()).toEqual(['core', 'progress', 'core', 'progress'])
    expect((await view.read()).value).toBe(late.value)
  })

  it('while a part is being rebuilt: its waiters get a whole snapshot', async () => {
    const { view, source } = hub()
    await view.read()
    source.progress = 1
    const gate = deferred<undefined>()
    source.holding.progress = gate.promise
    const early = view.read()
    await settled()
    await view.reset()
    gate.resolve(undefined)
    expect((await early).value).toEqual({ core: { n: 0 }, progress: [1] })
    expect((await view.read()).status).toBe('miss')
  })

  it('clearing the whole cache forgets it too', async () => {
    const { view, tide } = hub()
    await view.read()
    await tide.clear()
    expect((await view.read()).status).toBe('miss')
  })
})

describe('store', () => {
  it('takes values from elsewhere, with the revisions they were read at', async () => {
    const { view, source } = hub()
    const revisions = await view.revisions()
    const values: Sections = { core: { n: 7 }, progress: [8] }
    await view.store(values, revisions)
    expect(await view.read()).toMatchObject({ value: values, status: 'hit', revision: revisions.combined })
    source.progress = 1
    expect(await view.read()).toMatchObject({ value: { core: { n: 7 }, progress: [1] }, status: 'partial' })
  })

  it('wins over a build that is under way', async () => {
    const { view, source } = hub()
    const revisions = await view.revisions()
    const gate = deferred<undefined>()
    source.holding.core = gate.promise
    const early = view.read()
    await settled()
    await view.store({ core: { n: 7 }, progress: [8] }, revisions)
    gate.resolve(undefined)
    expect((await early).value.core).toEqual({ n: 0 })
    expect((await view.read()).value.core).toEqual({ n: 7 })
  })

  it('refuses half a snapshot', async () => {
    const { view } = hub()
    const revisions = await view.revisions()
    const refused = await failureOf(view.store({ core: { n: 7 } } as never, revisions))
    expect(refused).toMatchObject({ code: 'invalid-option', data: { option: 'values.progress' } })
    const bare = await failureOf(view.store({ core: { n: 7 }, progress: [] }, { combined: '', sections: {} }))
    expect(bare).toMatchObject({ code: 'invalid-option', data: { option: 'revisions.sections.core' } })
  })
})

describe('builders that hang or wait for themselves', () => {
  it('a hung build rejects its waiters at the hard timeout, and stops nobody afterwards', async () => {
    const { view, source, clock } = hub({ timeout: { hard: '2s' } })
    source.holding.core = new Promise(() => {})
    const hung = failureOf(view.read())
    await settled()
    await clock.advance('2s')
    expect(isTidemarkError(await hung, 'load-timeout')).toBe(true)
    delete source.holding.core
    expect((await view.read()).status).toBe('miss')
  })

  it('a hung refresh behind readers does not stop later ones', async () => {
    const { view, source, clock } = hub({ timeout: { hard: '2s' }, maxStale: '10m' })
    await view.read()
    source.core = 1
    source.holding.core = new Promise(() => {})
    await view.read()
    await clock.advance('4s')
    delete source.holding.core
    await view.read()
    await settled()
    expect((await view.read()).value.core).toEqual({ n: 1 })
  })

  it('one that reads its own view fails at once; one that reads another view is fine', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const other = tide.view({ name: 'other', sections: { a: { revision: () => 1, build: () => 5 } } })
    const fine = tide.view({
      name: 'fine',
      sections: { a: { revision: () => 1, build: async () => (await other.get()).a + 1 } },
    })
    expect(await fine.get()).toEqual({ a: 6 })
    const circle: View<{ a: unknown }> = tide.view<{ a: unknown }>({
      name: 'circle',
      sections: { a: { revision: () => 1, build: () => circle.get() } },
    })
    expect(isTidemarkError(await failureOf(circle.read()), 'reentrant-load')).toBe(true)
  })

  it('closing gives up what is being built', async () => {
    const { view, source, tide } = hub()
    source.holding.core = new Promise(() => {})
    const reading = failureOf(view.read())
    await settled()
    await tide.close()
    expect(isTidemarkError(await reading, 'closed')).toBe(true)
  })
})
