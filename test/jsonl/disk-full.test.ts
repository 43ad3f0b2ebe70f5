// Contract C3, `disk-full`, on small file systems of their own.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import {
  createTidemark,
  isTidemarkError,
  jsonl,
  memory,
  untilInvalidated,
  type Tidemark,
  type TidemarkEvent,
} from 'tidemark'
import { fillDisk, requireSmallDisks, smallDisk } from '../small-disk.ts'
import { until } from './tier.ts'

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

requireSmallDisks(() => {
  it('disk-full: reads go on, writes degrade to memory and are counted, freed space means recovery without restart [proxies 26]', async () => {
    const folder = smallDisk('1m')
    const path = join(folder, 'segments')
    const { tide, users, events } = open(path)
    for (let i = 0; i < 50; i++) await users.set(`early${i}`, valueAt(i))
    const free = fillDisk(folder)
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
    free()
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
    const folder = smallDisk('400k')
    const path = join(folder, 'segments')
    const { tide, users } = open(path, false)
    for (let i = 0; i < 100; i++) await users.set(`k${i}`, valueAt(i))
    fillDisk(folder)
    for (let i = 0; i < 100; i += 7) await users.delete(`k${i}`)
    await tide.close()
    const again = open(path, false)
    for (let i = 0; i < 100; i++) expect(await again.users.get(`k${i}`)).toBe(i % 7 === 0 ? 'LOADED' : valueAt(i))
    await again.tide.close()
  }, 60_000)

  it('with the reserve used up as well, the folder is emptied: an old value is never found again', async () => {
    const folder = smallDisk('400k')
    const path = join(folder, 'segments')
    const { tide, users, events } = open(path, false)
    for (let i = 0; i < 100; i++) await users.set(`k${i}`, valueAt(i))
    const other = open(path)
    expect(await other.users.get('k70')).toBe(valueAt(70))
    rmSync(join(path, 'reserve'))
    const free = fillDisk(folder)
    for (let i = 0; i < 60; i++) await users.delete(`k${i}`)
    await tide.close()
    expect(events.some((it) => it.type === 'tier-state' && it.state === 'quarantined')).toBe(true)
    // Another process hears that everything may have changed, and goes on in the same place.
    await until(() => other.users.peek('k70') === undefined)
    expect(await other.users.get('k70')).toBe('LOADED')
    await other.tide.close()
    free()
    const again = open(path, false)
    for (let i = 0; i < 60; i++) expect(await again.users.get(`k${i}`)).toBe('LOADED')
    await again.tide.close()
  }, 60_000)
})
