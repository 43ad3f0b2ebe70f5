// A rekey gets in nobody's way: what is set or deleted while it looks stays so, and what fails is told and left for the next.

import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { jsonl, memory, sqlite, type Tier } from 'tidemark'
import { keyring, type Keyring, type KeyringKeys } from 'tidemark/seal'
import { FakeClock, chaos } from 'tidemark/testing'
import { FOREVER } from '../../src/entry.ts'
import { rekeyTiers, type RekeyHost } from '../../src/seal/rekey.ts'
import { SealedTier } from '../../src/seal/sealed-tier.ts'
import { Sealer } from '../../src/seal/sealer.ts'
import { within } from '../../src/stack/deadline.ts'
import { entryOf } from '../../src/testing/tier-cases/case.ts'
import { testFolder } from '../folder.ts'
import { pool, proxyOf } from './stacks.ts'

const folder = testFolder()
let places = 0
const path = (): string => join(folder, `${places++}.db`)
const [first, second] = [randomBytes(32), randomBytes(32)]
const old: KeyringKeys = { active: 'old', keys: { old: first } }
const both: KeyringKeys = { active: 'new', keys: { new: second, old: first } }
const KEY = { name: 'users', id: 'a' }
const HOST: RekeyHost = { progress: () => {}, bounded: (work) => work, refuseIfClosed: () => {} }

/** A tier behind a seal whose keyring has moved on, with something that happens after each of its reads. */
async function moving(tier: Tier): Promise<{ sealed: SealedTier; clock: FakeClock; between: { run: () => unknown } }> {
  const clock = new FakeClock()
  let keys = old
  const ring = await keyring.fromService(() => keys)
  const between: { run: () => unknown } = { run: () => {} }
  const watched: Tier = {
    name: tier.name,
    capabilities: tier.capabilities,
    attach: (host) => tier.attach?.(host),
    get: async (key) => {
      const entry = await tier.get(key)
      await between.run()
      return entry
    },
    lease: () => tier.lease(),
    put: (entry, lease) => tier.put(entry, lease),
    remove: (selector, staleAt) => tier.remove(selector, staleAt),
    keys: (selector) => tier.keys(selector),
    count: (selector) => tier.count(selector),
    sweep: (now, limit) => tier.sweep(now, limit),
    close: () => tier.close(),
  }
  const sealer = new Sealer(ring, () => {})
  sealer.declare('users', [[]])
  const sealed = new SealedTier(watched, sealer)
  sealed.attach({ clock, report: () => {} })
  onTestFinished(async () => sealed.close())
  await sealed.put(entryOf(clock, 'users', 'a', 'before', { keepUntil: FOREVER + 1_000 }))
  keys = both
  await ring.refresh()
  return { sealed, clock, between }
}

const TIERS: readonly (readonly [string, () => Tier])[] = [
  ['memory', () => memory()],
  ['sqlite', () => sqlite({ path: path() })],
  ['jsonl', () => jsonl({ path: path() })],
]

describe.for(TIERS)('%s', ([, make]) => {
  it('what is set between the look and the write wins', async () => {
    const { sealed, clock, between } = await moving(make())
    const lease = await sealed.lease()
    between.run = async () => {
      between.run = () => {}
      await sealed.put(entryOf(clock, 'users', 'a', 'after'))
    }
    expect(await sealed.reseal(KEY, lease)).toBe('refused')
    expect((await sealed.get(KEY))?.value).toBe('after')
    expect(await sealed.reseal(KEY, await sealed.lease())).toBe('current')
  })

  it('what is deleted meanwhile does not come back', async () => {
    const { sealed, between } = await moving(make())
    const lease = await sealed.lease()
    between.run = async () => {
      between.run = () => {}
      await sealed.remove({ kind: 'key', key: KEY })
    }
    expect(await sealed.reseal(KEY, lease)).toBe('refused')
    expect(await sealed.get(KEY)).toBeUndefined()
    expect(await sealed.reseal(KEY, await sealed.lease())).toBe('gone')
  })

  it('one that was refused is looked at again, in the same call', async () => {
    const { sealed, clock, between } = await moving(make())
    between.run = () => {
      between.run = () => {}
      return sealed.remove({ kind: 'key', key: KEY }, clock.now())
    }
    expect(await rekeyTiers([sealed], HOST)).toMatchObject({ resealed: 1, failed: 0 })
    expect(await sealed.get(KEY)).toMatchObject({ value: 'before', staleAt: clock.now() })
    expect(await sealed.reseal(KEY, await sealed.lease())).toBe('current')
  })
})

describe('trouble', () => {
  it('an entry that cannot be replaced is counted and told; the next call has it', async () => {
    const file = path()
    const before = pool({ tiers: [sqlite({ path: file })], keyring: keyring(old), clock: new FakeClock() })
    for (const key of ['a', 'b']) await before.proxies.get(key)
    await before.tide.close()
    const broken = chaos(sqlite({ path: file }))
    // What chaos puts around a tier has a name of its own, and a seal goes by the name.
    Object.assign(broken, { name: 'sqlite' })
    const after = pool({ tiers: [broken], keyring: keyring(both), clock: new FakeClock() })
    broken.fail('put')
    expect(await after.tide.rekey()).toMatchObject({ resealed: 0, failed: 2 })
    expect(after.events).toContainEqual(expect.objectContaining({ type: 'tier-failed', operation: 'rekey' }))
    broken.heal()
    expect(await after.tide.rekey()).toMatchObject({ resealed: 2, failed: 0 })
  })

  it('a tier that cannot be walked, or never answers, ends it with an error', async () => {
    const broken = chaos(sqlite({ path: path() }))
    const { tide } = pool({ tiers: [broken], keyring: keyring(both), clock: new FakeClock() })
    broken.fail('keys', { error: new Error('no walk today') })
    await expect(tide.rekey()).rejects.toThrow('no walk today')
    broken.heal()
    const hanging = chaos(memory())
    const sealed = new SealedTier(hanging, new Sealer(keyring(both), () => {}))
    hanging.hang('keys')
    const bounded: RekeyHost['bounded'] = (work, what) => within(Promise.resolve(work), 20, what)
    await expect(rekeyTiers([sealed], { ...HOST, bounded })).rejects.toThrow('memory) keys took longer')
    hanging.heal()
  })

  it('a tier that is off is left alone, and closing the cache ends it', async () => {
    const off = chaos(sqlite({ path: path() }))
    const { tide, proxies } = pool({
      tiers: [{ tier: off, enabled: false }, sqlite({ path: path() })],
      keyring: keyring(both),
      clock: new FakeClock(),
    })
    for (let i = 0; i < 250; i++) await proxies.get(`k${i}`)
    expect(await tide.rekey()).toMatchObject({ resealed: 0, failed: 0 })
    expect(off.calls).toEqual([])
    tide.on('event', (event) => event.type === 'rekey' && void tide.close())
    await expect(tide.rekey()).rejects.toMatchObject({ code: 'closed' })
    await expect(tide.rekey()).rejects.toMatchObject({ code: 'closed' })
  })
})

it('tells how far it has come, slice by slice', async () => {
  const file = path()
  const before = pool({ tiers: [sqlite({ path: file })], keyring: keyring(old), clock: new FakeClock() })
  await Promise.all(Array.from({ length: 250 }, (_, i) => before.proxies.get(`k${i}`)))
  await before.tide.close()
  const after = pool({ tiers: [memory(), sqlite({ path: file })], keyring: keyring(both), clock: new FakeClock() })
  expect(await after.tide.rekey()).toMatchObject({ resealed: 250 })
  const told = after.events.flatMap((it) => (it.type === 'rekey' ? [`${it.tier} ${it.done}/${it.total}`] : []))
  const pass = ['sqlite 100/250', 'sqlite 200/250', 'sqlite 250/250']
  expect(told, 'a second pass finds nothing').toEqual([...pass, ...pass])
})

it('several processes do it at once, while another one sets', async () => {
  const file = path()
  const before = pool({ tiers: [sqlite({ path: file })], keyring: ringOf(old), clock: new FakeClock() })
  await Promise.all(Array.from({ length: 400 }, (_, i) => before.proxies.get(`k${i}`)))
  const main = fileURLToPath(new URL('rekey-main.ts', import.meta.url))
  const keys = [second, first].map((key) => key.toString('base64'))
  const children = [1, 2].map(() => fork(main, [file, ...keys], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }))
  const reports = children.map(async (child) => {
    const [report] = (await once(child, 'message')) as [{ failed: number; damaged: number; unknown: number }]
    await once(child, 'exit')
    return report
  })
  const isDone = Promise.all(reports)
  const set: Promise<void>[] = []
  for (let i = 0; i < 40; i++) {
    set.push(before.proxies.set(`k${i}`, { url: `set ${i}`, password: 'later' }))
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await Promise.all(set)
  for (const report of await isDone) expect(report).toMatchObject({ failed: 0, damaged: 0, unknown: 0 })
  await before.tide.close()

  // What was set under the old key afterwards is what the last rekey is for.
  const last = pool({ tiers: [sqlite({ path: file })], keyring: ringOf(both), clock: new FakeClock() })
  expect(await last.tide.rekey()).toMatchObject({ failed: 0, damaged: 0, unknown: 0 })
  await last.tide.close()
  const only = { active: 'new', keys: { new: second } }
  const after = pool({ tiers: [sqlite({ path: file })], keyring: ringOf(only), clock: new FakeClock() })
  for (let i = 0; i < 400; i++) {
    const expected = i < 40 ? { url: `set ${i}`, password: 'later' } : proxyOf(`k${i}`)
    expect(await after.proxies.stored(`k${i}`, { stale: true })).toEqual(expected)
  }
})

function ringOf(keys: KeyringKeys): Keyring {
  return keyring(keys)
}
