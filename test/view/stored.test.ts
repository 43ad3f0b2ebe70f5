// The last snapshot lies in the tiers: it survives a restart, and spares other processes the build.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createTidemark, memory, sqlite } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { deferred, settled } from '../contract/stacks.ts'
import { testFolder } from '../folder.ts'
import { hub, Source, type Hub, type HubOptions } from './hub.ts'

const folder = testFolder()
let files = 0

/** Several processes over one file, as far as a cache can tell: each has tiers of its own. */
function machine() {
  const path = join(folder, `${++files}.db`)
  const source = new Source()
  const clock = new FakeClock()
  const open = (options: HubOptions = {}): Hub =>
    hub(options, { source, clock, tide: { tiers: [memory(), sqlite({ path })], coherence: 'strict' } })
  return { path, source, clock, open }
}

describe('a restart', () => {
  it('the snapshot is a hit when nothing moved meanwhile', async () => {
    const { open, source, clock } = machine()
    const before = open()
    const first = await before.view.read()
    await before.tide.close()
    await clock.jump('1d')
    source.takeBuilt()
    const after = await open().view.read()
    expect(after).toMatchObject({ value: first.value, status: 'hit', revision: first.revision, builtAt: first.builtAt })
    expect(source.built).toEqual([])
  })

  it('what moved is rebuilt, and only that', async () => {
    const { open, source } = machine()
    const before = open()
    await before.view.read()
    await before.tide.close()
    source.progress = 1
    source.takeBuilt()
    expect(await open().view.read()).toMatchObject({ status: 'partial', value: { progress: [1] } })
    expect(source.built).toEqual(['progress'])
  })

  it('the bound of staleness is that of the last look before it', async () => {
    const { open, source, clock } = machine()
    const before = open()
    await before.view.read()
    await before.tide.close()
    source.core = 1
    await clock.jump('4m')
    const after = open()
    expect(await after.view.read()).toMatchObject({ status: 'stale', staleFor: 240_000 })
    await after.tide.close()
    source.core = 2
    await clock.jump('6m')
    expect((await open().view.read()).status).toBe('miss')
  })

  it('what was built in a future that is no more is too old, where age counts at all', async () => {
    for (const [options, status] of [
      [{ maxAge: '1h' }, 'miss'],
      [{}, 'hit'],
    ] as const) {
      const { path, source, open } = machine()
      const before = open(options)
      await before.view.read()
      await before.tide.close()
      const clock = new FakeClock(before.clock.now() - 86_400_000)
      const after = hub(options, { source, clock, tide: { tiers: [memory(), sqlite({ path })] } })
      expect((await after.view.read()).status).toBe(status)
      expect(await after.view.read()).toMatchObject({ status: 'hit', age: 0, staleFor: 0 })
    }
  })

  it('a snapshot of another version of the builders is not used', async () => {
    const { open, source } = machine()
    const before = open({ version: 1 })
    await before.view.read()
    await before.tide.close()
    source.takeBuilt()
    const after = open({ version: 2 })
    expect((await after.view.read()).status).toBe('miss')
    expect(source.built).toEqual(['core', 'progress'])
    await after.tide.close()
    expect((await open({ version: 2 }).view.read()).status).toBe('hit')
  })

  it('what was invalidated is still invalidated; what was reset is gone', async () => {
    const { open, source } = machine()
    const before = open()
    await before.view.read()
    await before.view.invalidate('progress')
    await before.tide.close()
    source.takeBuilt()
    const after = open()
    expect((await after.view.read()).status).toBe('partial')
    expect(source.takeBuilt()).toEqual(['progress'])
    await after.view.reset()
    await after.tide.close()
    expect((await open().view.read()).status).toBe('miss')
  })
})

describe('leases', () => {
  it('what was invalidated while it was being built is stored nowhere', async () => {
    const { open, source } = machine()
    const before = open()
    const gate = deferred<undefined>()
    source.holding.core = gate.promise
    const reading = before.view.read()
    await settled()
    await before.view.invalidate('core')
    gate.resolve(undefined)
    expect((await reading).status).toBe('miss')
    expect((await before.view.stats()).refused).toBe(1)
    await before.tide.close()
    source.takeBuilt()
    expect((await open().view.read()).status).toBe('miss')
  })

  it('nor what was invalidated by another process', async () => {
    const { open, source } = machine()
    const [one, other] = [open(), open()]
    const gate = deferred<undefined>()
    source.holding.core = gate.promise
    const reading = one.view.read()
    await settled()
    await other.view.invalidate('core')
    gate.resolve(undefined)
    await reading
    await Promise.all([one.tide.close(), other.tide.close()])
    expect((await open().view.read()).status).toBe('miss')
  })
})

describe('other processes', () => {
  it('take what one of them built, as long as its revisions are those they read', async () => {
    const { open, source } = machine()
    const [one, other] = [open(), open()]
    await Promise.all([one.view.read(), other.view.read()])
    expect(source.takeBuilt()).toEqual(['core', 'progress'])
    source.progress = 1
    expect((await one.view.read()).status).toBe('partial')
    expect(await other.view.read()).toMatchObject({ status: 'partial', value: { progress: [1] } })
    expect(source.takeBuilt()).toEqual(['progress'])
    source.core = 1
    await one.view.read()
    await settled()
    expect((await other.view.read()).status).toBe('stale')
    await settled()
    expect(await other.view.read()).toMatchObject({ status: 'hit', value: { core: { n: 1 } } })
    expect(source.takeBuilt()).toEqual(['core'])
  })

  it('hear what one of them invalidated, and what it reset', async () => {
    const { open, source } = machine()
    const [one, other] = [open(), open()]
    await one.view.read()
    await other.view.read()
    await other.view.invalidate('progress')
    source.takeBuilt()
    expect((await one.view.read()).status).toBe('partial')
    await other.view.invalidate('core')
    expect((await one.view.read()).status).toBe('stale')
    await settled()
    await other.view.reset()
    expect((await one.view.read()).status).toBe('miss')
    await other.tide.clear()
    expect((await one.view.read()).status).toBe('miss')
  })

  it('get what was invalidated and built again elsewhere before they looked, also when no revision tells', async () => {
    const { open, source, clock } = machine()
    const [one, other] = [open(), open()]
    await one.view.read()
    await other.view.read()
    source.build = async () => 7
    await clock.advance('1s')
    await one.view.invalidate('progress')
    const rebuilt = await one.view.read()
    expect(rebuilt.value.progress).toEqual([7])
    await clock.advance('1s')
    expect(await other.view.read()).toMatchObject({ status: 'hit', value: rebuilt.value, etag: rebuilt.etag })
    expect((await other.view.stats()).loads).toBe(0)
  })

  it('know that what was invalidated elsewhere while they built it has moved', async () => {
    for (const before of [0, 1]) {
      const { open, source } = machine()
      const [one, other] = [open(), open()]
      for (let i = 0; i < before; i++) await one.view.read()
      const gate = deferred<undefined>()
      source.holding.progress = gate.promise
      source.progress = 1
      const reading = one.view.read()
      await settled()
      await other.view.invalidate('progress')
      gate.resolve(undefined)
      await reading
      source.takeBuilt()
      await one.view.read()
      expect(source.takeBuilt()).toEqual(['progress'])
      expect((await one.view.read()).status).toBe('hit')
    }
  })

  it('what is older than maxAge is built, not taken over once more', async () => {
    const { open, source, clock } = machine()
    const [one, other] = [open({ maxAge: '1m' }), open({ maxAge: '1m' })]
    await one.view.read()
    source.takeBuilt()
    await clock.advance('1m')
    expect((await one.view.read()).status).toBe('stale')
    await settled()
    expect(source.takeBuilt()).toEqual(['core', 'progress'])
    expect((await one.view.read()).status).toBe('hit')
    // That is young enough for the other one.
    await other.view.read()
    expect(source.takeBuilt()).toEqual([])
  })

  it('a refresh builds, also what another process has just built', async () => {
    const { open, source } = machine()
    const [one, other] = [open(), open()]
    await one.view.read()
    source.takeBuilt()
    await other.view.read({ refresh: true })
    expect(source.takeBuilt()).toEqual(['core', 'progress'])
  })
})

describe('tiers that do not take it', () => {
  it('a snapshot no tier can hold is held by the view itself', async () => {
    const { view } = hub({}, { tide: { tiers: [sqlite({ path: ':memory:', maxEntryBytes: 1 })] } })
    await view.read()
    expect((await view.read()).status).toBe('hit')
  })

  it('a closed cache leaves nothing running', async () => {
    const clock = new FakeClock()
    const tide = createTidemark({ tiers: [memory()], clock })
    const view = tide.view({ name: 'v', sections: { a: { revision: () => 1, build: () => 1 } } })
    await view.read()
    await tide.close()
    expect(clock.timers).toBe(0)
  })
})
