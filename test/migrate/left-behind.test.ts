// What a migration does not copy, and what it does not begin with.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { jsonl, memory, migrate, sqlite, type Entry, type MigrateOptions, type Tier } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { testFolder } from '../folder.ts'
import { entryOf } from './kinds.ts'

const folder = testFolder()
let files = 0
const clock = new FakeClock()

function attached(tier: Tier): Tier {
  tier.attach?.({ clock, report: () => {} })
  onTestFinished(() => tier.close())
  return tier
}

/** A memory tier with these entries. */
async function memoryWith(...entries: readonly Entry[]): Promise<Tier> {
  const tier = attached(memory())
  for (const entry of entries) await tier.put(entry)
  return tier
}

const newPath = (): string => join(folder, `${files++}`, 'there')

describe.for([
  { kind: 'sqlite', make: sqlite },
  { kind: 'jsonl', make: jsonl },
])('over $kind', ({ kind, make }) => {
  it('what is too large is counted, the same in a dry run, and takes the older one along', async () => {
    const from = await memoryWith(entryOf(clock, 'large', 'é'.repeat(60)), entryOf(clock, 'small', 'é'.repeat(40)))
    const to = attached(make({ path: newPath(), maxEntryBytes: 100 }))
    await to.put(entryOf(clock, 'large', 'old', { loadedAt: clock.now() - 1 }))
    const dry = await migrate({ from, to, secrets: {}, clock, dryRun: true })
    expect(dry).toMatchObject({ copied: 1, tooLarge: 1 })
    expect(await to.get({ name: 'things', id: 'large' })).toMatchObject({ value: 'old' })
    const report = await migrate({ from, to, secrets: {}, clock })
    expect(report).toEqual(dry)
    expect(report.problems).toEqual([
      { key: { name: 'things', id: 'large' }, outcome: 'tooLarge', message: '122 bytes, the limit is 100' },
    ])
    expect(await to.get({ name: 'things', id: 'large' })).toBeUndefined()
  })

  it('what left the target for want of room is counted', async () => {
    const from = await memoryWith(...Array.from({ length: 30 }, (_, i) => entryOf(clock, `${i}`, i)))
    const to = attached(make({ path: newPath(), maxEntries: 10 }))
    expect(await migrate({ from, to, secrets: {}, clock })).toMatchObject({ copied: 30, evicted: 20 })
    expect(await to.count({ kind: 'all' })).toBe(10)
  })

  it('a damaged entry is counted, and all others are copied [proxies 40]', async () => {
    const path = newPath()
    const source = make({ path })
    source.attach?.({ clock, report: () => {} })
    for (let i = 0; i < 10; i++) await source.put(entryOf(clock, `${i}`, { text: `value-${i}-here` }))
    await source.close()
    damage(kind, path)
    const [from, to] = [attached(make({ path })), attached(memory())]
    const report = await migrate({ from, to, clock })
    expect(report).toMatchObject({ copied: 9, damaged: 1 })
    expect(await to.count({ kind: 'all' })).toBe(9)
  })

  it('a source that is damaged as a whole is an error or a count, not an empty source', async () => {
    const path = newPath()
    const source = make({ path })
    source.attach?.({ clock, report: () => {} })
    await source.put(entryOf(clock, 'a', 1))
    await source.close()
    spoil(kind, path)
    const from = make({ path })
    onTestFinished(() => from.close())
    const migrating = migrate({ from, to: attached(memory()), clock })
    if (kind === 'sqlite') await expect(migrating).rejects.toMatchObject({ code: 'tier-corrupt' })
    else await expect(migrating).resolves.toMatchObject({ copied: 0, damaged: 1, problems: [{ key: { id: 'a' } }] })
  })
})

function damage(kind: string, path: string): void {
  if (kind === 'sqlite') {
    const database = new DatabaseSync(path)
    database.exec(`UPDATE entries SET value = replace(value, 'value-5', 'value-X') WHERE key = '5'`)
    database.close()
    return
  }
  const file = join(path, readdirSync(path).find((it) => it.startsWith('segment-')) as string)
  writeFileSync(file, readFileSync(file, 'utf8').replace('value-5', 'value-X'))
}

/** The pages of a database, or the one line of an entry. */
function spoil(kind: string, path: string): void {
  if (kind === 'sqlite') {
    const bytes = readFileSync(path)
    writeFileSync(path, bytes.fill('x', 100))
    return
  }
  const file = join(path, readdirSync(path).find((it) => it.startsWith('segment-')) as string)
  writeFileSync(file, readFileSync(file, 'utf8').replace('"op":"set"', '"op":"xxx"'))
}

it('what was changed in the target meanwhile is left to whoever changed it', async () => {
  const from = await memoryWith(entryOf(clock, 'a', 'old'), entryOf(clock, 'b', 'old'))
  const to = attached(memory())
  const put = to.put.bind(to)
  let isFirst = true
  to.put = async (entry, lease) => {
    // Somebody deletes what is on its way, once.
    if (isFirst) await to.remove({ kind: 'key', key: { name: 'things', id: 'a' } })
    isFirst = false
    return put(entry, lease)
  }
  expect(await migrate({ from, to, clock })).toMatchObject({ copied: 1, changed: 1 })
  expect(await to.get({ name: 'things', id: 'a' })).toBeUndefined()
  expect(await migrate({ from, to, clock })).toMatchObject({ copied: 1, older: 1 })
})

it('a target that is locked by another process is waited for; one that is full is an error', async () => {
  const from = await memoryWith(entryOf(clock, 'a', 1))
  const path = newPath()
  const to = attached(sqlite({ path }))
  const other = new DatabaseSync(path)
  other.exec('BEGIN IMMEDIATE')
  const migrating = migrate({ from, to, secrets: {}, clock })
  await new Promise((resolve) => setTimeout(resolve, 300))
  other.exec('COMMIT')
  other.close()
  expect(await migrating).toMatchObject({ copied: 1 })
})

it('a list that ends early is told, not taken for the whole', async () => {
  const from = await memoryWith(...Array.from({ length: 10 }, (_, i) => entryOf(clock, `${i}`, i)))
  const keys = from.keys.bind(from)
  let isShort = true
  from.keys = async function* (selector) {
    let listed = 0
    for await (const info of keys(selector)) if (!isShort || listed++ < 7) yield info
  }
  const to = attached(memory())
  expect(await migrate({ from, to, clock })).toMatchObject({ copied: 7, changed: 3 })
  isShort = false
  expect(await migrate({ from, to, clock })).toMatchObject({ copied: 3, older: 7, changed: 0 })
})

it('how far it has come is told, with what is left out', async () => {
  const from = await memoryWith(...Array.from({ length: 250 }, (_, i) => entryOf(clock, `${i}`, i)))
  const told: (readonly [number, number])[] = []
  await migrate({ from, to: attached(memory()), clock, onProgress: (done, total) => told.push([done, total]) })
  expect(told).toEqual([
    [100, 250],
    [200, 250],
    [250, 250],
  ])
})

it('what a stack keeps for itself stays where it is', async () => {
  const note = entryOf(clock, 'x', { selector: { kind: 'all' } }, { key: { name: '#journal', id: 'x' } })
  const to = attached(memory())
  expect(await migrate({ from: await memoryWith(note), to, clock })).toMatchObject({ copied: 0 })
  expect(await to.count({ kind: 'all' })).toBe(0)
})

it.for<[string, Partial<Record<keyof MigrateOptions, unknown>>]>([
  ['migrate.from', { from: 'sqlite:x' }],
  ['migrate.to', { to: undefined }],
  ['migrate.name', { name: 5 }],
  ['migrate.dryRun', { dryRun: 'yes' }],
  ['migrate.onProgress', { onProgress: 1 }],
  ['migrate.clock', { clock: { now: () => 0 } }],
  ['migrate.keyring', { keyring: { keys: [] } }],
  ['migrate.secrets', { secrets: ['password'] }],
])('refuses a wrong %s', async ([option, wrong]) => {
  const options = { from: memory(), to: memory(), ...wrong } as unknown as MigrateOptions
  await expect(migrate(options)).rejects.toThrow(option)
})

it('refuses to copy a tier to itself', async () => {
  const tier = memory()
  await expect(migrate({ from: tier, to: tier })).rejects.toThrow('another tier')
})
