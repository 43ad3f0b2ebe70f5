// Contract C3, `disk-full`, on small file systems of their own.

import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  createTidemark,
  isTidemarkError,
  jsonl,
  memory,
  untilInvalidated,
  type Tidemark,
  type TidemarkEvent,
} from 'tidemark'
import { until } from './tier.ts'

const REFUSED = 'disk-full needs to mount a small file system, which is refused here (run as root in a virtual machine)'

function mounted(size: string): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-full-'))
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]).status !== 0) return undefined
  onTestFinished(() => {
    spawnSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}

const probe = mkdtempSync(join(tmpdir(), 'tidemark-full-'))
const canMount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', probe]).status === 0
if (canMount) spawnSync('umount', ['-l', probe])
rmSync(probe, { recursive: true, force: true })
if (!canMount && process.env['REQUIRE_SERVICES'] === '1') throw new Error(REFUSED)
if (!canMount) console.warn(`skipped: ${REFUSED}`)

function open(path: string, withMemory = true) {
  const tide = createTidemark({ tiers: withMemory ? [memory(), jsonl({ path })] : [jsonl({ path })] })
  onTestFinished(() => tide.close())
  const events: TidemarkEvent[] = []
  tide.on('event', (event) => events.push(event))
  const users = tide.resource<string, string>({
    name: 'users',
    load: async () => 'LOADED',
    freshness: untilInvalidated(),
    scope: () => 's',
  })
  return { tide, events, users }
}

const valueAt = (i: number): string => `value ${i} ${'x'.repeat(100)}`
const stateOf = async (tide: Tidemark): Promise<string | undefined> => (await tide.tiers()).at(-1)?.state

/** To the last byte. */
function fill(filler: string): void {
  const file = openSync(filler, 'w')
  for (const size of [65_536, 4_096, 512, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size, 'x'))
    } catch {
      // The next smaller piece.
    }
  }
  closeSync(file)
}

describe.runIf(canMount)('disk-full', () => {
  it('disk-full: reads go on, writes degrade to memory and are counted, freed space means recovery without restart [proxies 26]', async () => {
    const folder = mounted('1m') as string
    const path = join(folder, 'segments')
    const { tide, users, events } = open(path)
    for (let i = 0; i < 50; i++) await users.set(`early${i}`, valueAt(i))
    fill(join(folder, 'filler'))
    for (let i = 0; i < 1_000 && (await stateOf(tide)) !== 'read-only'; i++)
      await users.set(`late${i}`, 'y'.repeat(500))
    expect(await stateOf(tide)).toBe('read-only')
    const failures = events.filter((it) => it.type === 'tier-failed' && isTidemarkError(it.error, 'tier-full'))
    expect(failures.length).toBeGreaterThan(0)
    expect(await users.get('early7')).toBe(valueAt(7))
    await users.set('during', 'during')
    expect(await users.get('during')).toBe('during')
    await users.delete('early8')
    expect(await users.get('early8')).toBe('LOADED')
    rmSync(join(folder, 'filler'))
    await until(async () => (await stateOf(tide)) === 'up', 25_000)
    await users.set('after', 'after')
    await tide.close()
    const again = open(path)
    expect(await again.users.get('after')).toBe('after')
    expect(await again.users.get('during')).toBe('during')
    expect(await again.users.get('early7')).toBe(valueAt(7))
    expect(await again.users.get('early8')).toBe('LOADED')
    expect(again.events.filter(({ type }) => type === 'corrupt').length, 'a torn line at most').toBeLessThanOrEqual(3)
    await again.tide.close()
  }, 60_000)

  it('removals with no byte left are done all the same, from the reserve: nothing else is lost', async () => {
    const folder = mounted('400k') as string
    const path = join(folder, 'segments')
    const { tide, users } = open(path, false)
    for (let i = 0; i < 100; i++) await users.set(`k${i}`, valueAt(i))
    fill(join(folder, 'filler'))
    for (let i = 0; i < 100; i += 7) await users.delete(`k${i}`)
    await tide.close()
    const again = open(path, false)
    for (let i = 0; i < 100; i++) expect(await again.users.get(`k${i}`)).toBe(i % 7 === 0 ? 'LOADED' : valueAt(i))
    await again.tide.close()
  }, 60_000)

  it('with the reserve used up as well, the folder is emptied: an old value is never found again', async () => {
    const folder = mounted('400k') as string
    const path = join(folder, 'segments')
    const { tide, users, events } = open(path, false)
    for (let i = 0; i < 100; i++) await users.set(`k${i}`, valueAt(i))
    const other = open(path)
    expect(await other.users.get('k70')).toBe(valueAt(70))
    rmSync(join(path, 'reserve'))
    fill(join(folder, 'filler'))
    for (let i = 0; i < 60; i++) await users.delete(`k${i}`)
    await tide.close()
    expect(events.some((it) => it.type === 'tier-state' && it.state === 'quarantined')).toBe(true)
    // Another process hears that everything may have changed, and goes on in the same place.
    await until(() => other.users.peek('k70') === undefined)
    expect(await other.users.get('k70')).toBe('LOADED')
    await other.tide.close()
    rmSync(join(folder, 'filler'))
    const again = open(path, false)
    for (let i = 0; i < 60; i++) expect(await again.users.get(`k${i}`)).toBe('LOADED')
    await again.tide.close()
  }, 60_000)
})
