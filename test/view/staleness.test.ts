// How long a snapshot may be handed out that does not hold any more, or of which nobody can say whether it does.

import { describe, expect, it } from 'vitest'
import { isTidemarkError } from 'tidemark'
import { deferred, settled } from '../contract/stacks.ts'
import { hub } from './hub.ts'

describe('maxStale', () => {
  it('bounds staleness, not age: an hour without change, and then the change is as new as the last look [summary 8]', async () => {
    const { view, source, clock } = hub({ maxStale: '5m' })
    await view.read()
    await clock.jump('1h')
    expect((await view.read()).status).toBe('hit')
    source.core = 1
    await clock.jump('4m')
    expect(await view.read()).toMatchObject({ status: 'stale', staleFor: 240_000 })
  })

  it('without a look for longer than that, nobody knows how old the change is: the reader waits', async () => {
    const { view, source, clock } = hub({ maxStale: '5m' })
    await view.read()
    source.core = 1
    await clock.jump('5m')
    source.takeBuilt()
    expect(await view.read()).toMatchObject({ status: 'miss', value: { core: { n: 1 } } })
    expect(source.takeBuilt()).toEqual(['core'])
  })

  it('defaults to five minutes; 0 never hands out what moved', async () => {
    const { view, source, clock } = hub()
    await view.read()
    source.core = 1
    await clock.jump(299_999)
    source.failing.core = new Error('down')
    expect((await view.read()).status).toBe('stale')
    await clock.jump(1)
    await expect(view.read()).rejects.toThrow('down')
    const strict = hub({ maxStale: 0 })
    await strict.view.read()
    strict.source.core = 1
    expect(await strict.view.read()).toMatchObject({ status: 'miss', value: { core: { n: 1 } } })
  })

  it('a snapshot from the future of a clock that was set back is not trusted for how old it is', async () => {
    const { view, source, clock } = hub()
    await view.read()
    await clock.jump('1h')
    await view.read()
    source.core = 1
    // The clock of a process never goes back; this is what a restart with a stored snapshot looks like.
    clock.now = () => 1_000
    expect((await view.read()).status).toBe('miss')
  })
})

describe('maxAge', () => {
  it('a section that is too old counts as moved, whatever its revision says', async () => {
    const { view, source, clock } = hub({ maxAge: '1h' })
    await view.read()
    source.takeBuilt()
    await clock.jump('59m')
    expect((await view.read()).status).toBe('hit')
    await clock.jump('1m')
    expect((await view.read()).status).toBe('stale')
    await settled()
    expect(source.takeBuilt()).toEqual(['core', 'progress'])
    expect(await view.read()).toMatchObject({ status: 'hit', age: 0 })
    await clock.jump('2h')
    expect((await view.read()).status).toBe('miss')
  })
})

describe('a source that fails', () => {
  it('a failed refresh keeps the snapshot, says so, and is not tried again at once', async () => {
    const { view, source, clock, events } = hub()
    const { value } = await view.read()
    source.core = 1
    source.failing.core = new Error('down')
    source.takeBuilt()
    expect((await view.read()).reason).toBe('revalidating')
    await settled()
    for (let i = 0; i < 50; i++) {
      const reading = await view.read()
      expect(reading).toMatchObject({
        value,
        status: 'stale',
        reason: 'source-unavailable',
        error: source.failing.core,
      })
    }
    expect(source.takeBuilt()).toEqual(['core'])
    expect(events.filter(({ type }) => type === 'load-failed')).toMatchObject([{ name: 'summary', key: 'core' }])
    expect((await view.explain()).lastFailure).toMatchObject({ error: source.failing.core, failures: 1 })
    delete source.failing.core
    await clock.advance('1s')
    await view.read()
    await settled()
    expect(await view.read()).toMatchObject({ status: 'hit', value: { core: { n: 1 } } })
    expect((await view.explain()).lastFailure).toBeUndefined()
  })

  it('a small section that cannot be rebuilt leaves the last snapshot, until it is too old', async () => {
    const { view, source, clock } = hub({ maxStale: '1m' })
    await view.read()
    source.progress = 1
    source.failing.progress = new Error('down')
    expect(await view.read()).toMatchObject({
      status: 'stale',
      reason: 'source-unavailable',
      error: source.failing.progress,
    })
    await clock.jump('1m')
    await expect(view.read()).rejects.toThrow('down')
  })

  it('staleIfError hands it out longer, when the source fails', async () => {
    const { view, source, clock } = hub({ maxStale: '1m', staleIfError: '1d' })
    const { value } = await view.read()
    source.core = 1
    source.failing.core = new Error('down')
    await clock.jump('23h')
    expect(await view.read()).toMatchObject({ value, status: 'stale', reason: 'source-unavailable' })
    await clock.jump('1h')
    await expect(view.read()).rejects.toThrow('down')
    delete source.failing.core
    expect((await view.read()).status).toBe('miss')
  })
})

describe('revisions that cannot be told', () => {
  it('fail: the last snapshot, of unknown revision, with the error; then not any more', async () => {
    const { view, source, clock } = hub({ maxStale: '5m' })
    const first = await view.read()
    source.failing.revisions = new Error('refused')
    await clock.jump('1m')
    expect(await view.read()).toMatchObject({
      value: first.value,
      status: 'stale',
      reason: 'source-unavailable',
      revision: 'unknown',
      etag: first.etag,
      staleFor: 60_000,
      error: source.failing.revisions,
      sections: { core: { state: 'unknown' }, progress: { state: 'unknown' } },
    })
    await clock.jump('4m')
    await expect(view.read()).rejects.toThrow('refused')
    delete source.failing.revisions
    expect((await view.read()).status).toBe('hit')
  })

  it('fail before there is a snapshot: the error is the reader’s', async () => {
    const { view, source } = hub()
    source.failing.revisions = new Error('refused')
    await expect(view.read()).rejects.toThrow('refused')
    expect(source.built).toEqual([])
  })

  it('are slow while the snapshot is forgotten: the reader waits for a build', async () => {
    const { view, source, clock } = hub({ timeout: { soft: '100ms' } })
    await view.read()
    const gate = deferred<undefined>()
    source.holding.revisions = gate.promise
    const reading = view.read()
    await settled()
    await view.reset()
    await clock.advance('100ms')
    gate.resolve(undefined)
    expect((await reading).status).toBe('miss')
  })

  it('are slow: a read waits for the soft timeout once, and then nobody waits', async () => {
    const { view, source, clock } = hub({ maxStale: '5m', timeout: { soft: '100ms' } })
    await view.read()
    source.holding.revisions = new Promise(() => {})
    const slow = view.read()
    await settled()
    await clock.advance('100ms')
    expect(await slow).toMatchObject({ status: 'stale', reason: 'source-slow', revision: 'unknown' })
    source.asked = 0
    for (let i = 0; i < 20; i++) expect((await view.read()).reason).toBe('source-slow')
    expect(source.asked).toBe(0)
  })

  it('hang: asking is given up after five seconds, and the next reader asks anew', async () => {
    const { view, source, clock } = hub({ maxStale: '5m' })
    await view.read()
    source.holding.revisions = new Promise(() => {})
    const slow = view.read()
    await settled()
    await clock.advance('5s')
    await slow
    delete source.holding.revisions
    expect((await view.read()).status).toBe('hit')
  })

  it('hang before there is a snapshot: the reader gets load-timeout', async () => {
    const { view, source, clock } = hub({ timeout: { hard: '3s' } })
    source.holding.revisions = new Promise(() => {})
    const reading = view.read().catch((error: unknown) => error)
    await settled()
    await clock.advance('3s')
    expect(isTidemarkError(await reading, 'load-timeout')).toBe(true)
  })

  it('a small section that is slow to rebuild: the soft timeout, and it is there for the next reader', async () => {
    const { view, source, clock } = hub({ timeout: { soft: '100ms' } })
    await view.read()
    source.progress = 1
    const gate = deferred<undefined>()
    source.holding.progress = gate.promise
    const slow = view.read()
    await settled()
    await clock.advance('100ms')
    expect(await slow).toMatchObject({ status: 'stale', reason: 'source-slow', value: { progress: [0] } })
    gate.resolve(undefined)
    await settled()
    expect(await view.read()).toMatchObject({ status: 'hit', value: { progress: [1] } })
  })

  it('a reader that comes while they are being asked is not given an answer from before it came', async () => {
    const { view, source } = hub()
    await view.read()
    const gate = deferred<undefined>()
    source.holding.revisions = gate.promise
    const early = view.read()
    await settled()
    source.progress = 1
    const late = view.read()
    await settled()
    // The first answer is already on its way: it says that nothing has moved.
    gate.resolve(undefined)
    expect(await early).toMatchObject({ status: 'hit', value: { progress: [0] } })
    expect(await late).toMatchObject({ status: 'partial', value: { progress: [1] } })
  })
})
