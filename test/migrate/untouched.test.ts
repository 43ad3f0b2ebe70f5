// The source is only read, and so is the target of a dry run, whatever is the matter with them.

import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { jsonl, memory, migrate, sqlite, type Entry, type MigrateReport, type Tier } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { testFolder } from '../folder.ts'
import { entryOf } from './kinds.ts'

const KINDS = [
  { kind: 'sqlite', make: sqlite },
  { kind: 'jsonl', make: jsonl },
] as const
type Make = (options: { readonly path: string }) => Tier

const folder = testFolder()
const clock = new FakeClock()
let places = 0
const newPath = (): string => join(folder, `${places++}`, 'there')

/** A place with 40 entries, one of them in a file of its own. */
async function filled(make: Make): Promise<string> {
  const path = newPath()
  const tier = make({ path })
  tier.attach?.({ clock, report: () => {} })
  const entries: Entry[] = Array.from({ length: 39 }, (_, i) => entryOf(clock, `${i}`, { text: `value-${i}-here` }))
  await Promise.all([...entries, entryOf(clock, 'large', 'x'.repeat(100_000))].map((entry) => tier.put(entry)))
  await tier.close()
  return path
}

/** Every file at or beside a place, and what is in it. */
function looked(path: string): Record<string, string> {
  const root = dirname(path)
  const names = existsSync(root) ? readdirSync(root, { recursive: true }) : []
  const files = names.map((it) => join(root, String(it))).filter((it) => statSync(it).isFile())
  return Object.fromEntries(files.map((file) => [file, readFileSync(file, 'latin1')]))
}

async function migrated(from: Tier, to: Tier, dryRun = false): Promise<MigrateReport> {
  try {
    return await migrate({ from, to, clock, dryRun, secrets: {} })
  } finally {
    await from.close()
    await to.close()
  }
}

async function memoryWith(...entries: readonly Entry[]): Promise<Tier> {
  const tier = memory()
  for (const entry of entries) await tier.put(entry)
  return tier
}

/** Makes a place unreadable as a whole. */
function spoil(kind: string, path: string, from = 0): void {
  const files = kind === 'sqlite' ? [path] : readdirSync(path).map((it) => join(path, it))
  for (const file of files.filter((it) => statSync(it).isFile()))
    writeFileSync(file, readFileSync(file).fill('x', from))
}

function changeIn(file: string, text: string, by: string): void {
  writeFileSync(file, readFileSync(file, 'latin1').replace(text, by), 'latin1')
}

const segmentOf = (path: string): string =>
  join(path, readdirSync(path).find((it) => it.startsWith('segment-')) as string)

describe.for(KINDS)('over $kind', ({ kind, make }) => {
  it('a damaged source stays where it is, and is as much of an error the next time', async () => {
    const path = await filled(make)
    spoil(kind, path)
    const before = looked(path)
    for (let time = 0; time < 2; time++) {
      await expect(migrated(make({ path }), memory())).rejects.toMatchObject({
        code: 'tier-corrupt',
        hint: expect.stringContaining('left as it is') as string,
      })
      expect(looked(path)).toEqual(before)
    }
  })

  it('what is damaged in a source is counted each time, and stays', async () => {
    const path = await filled(make)
    if (kind === 'sqlite') changeIn(path, 'value-5-here', 'value-X-here')
    else changeIn(segmentOf(path), 'value-5-here', 'value-X-here')
    const values = kind === 'sqlite' ? `${path}.values` : join(path, 'large.values')
    const large = readdirSync(values, { recursive: true }).map((it) => join(values, String(it)))
    changeIn(large.find((it) => statSync(it).isFile()) as string, 'xxxx', 'xxyx')
    const before = looked(path)
    for (let time = 0; time < 2; time++) {
      expect(await migrated(make({ path }), memory())).toMatchObject({ copied: 38, damaged: 2 })
      expect(looked(path)).toEqual(before)
    }
  })

  it('a damaged target of a dry run stays where it is, and is an error', async () => {
    const path = await filled(make)
    spoil(kind, path)
    const before = looked(path)
    const from = await memoryWith(entryOf(clock, 'a', 1))
    await expect(migrated(from, make({ path }), true)).rejects.toMatchObject({ code: 'tier-corrupt' })
    expect(looked(path)).toEqual(before)
  })

  it('a target that had to be moved aside is an error; run again, it is copied into the new one', async () => {
    const path = await filled(make)
    spoil(kind, path)
    const from = (): Promise<Tier> => memoryWith(entryOf(clock, 'a', 1))
    await expect(migrated(await from(), make({ path }))).rejects.toMatchObject({
      code: 'tier-corrupt',
      message: expect.stringContaining('the target') as string,
    })
    expect(await migrated(await from(), make({ path }))).toMatchObject({ copied: 1 })
  })

  it('a source that is not there, or empty, is an error, and is not made', async () => {
    const path = newPath()
    for (const prepare of [() => {}, () => (kind === 'sqlite' ? emptyFile(path) : emptyFolder(path))]) {
      prepare()
      const before = looked(path)
      await expect(migrated(make({ path }), memory())).rejects.toMatchObject({
        code: 'tier-unavailable',
        message: expect.stringContaining(path) as string,
      })
      expect(looked(path)).toEqual(before)
    }
  })

  it('a target that is not there is not made by a dry run', async () => {
    const path = newPath()
    const from = await memoryWith(entryOf(clock, 'a', 1), entryOf(clock, 'b', 1))
    expect(await migrated(from, make({ path }), true)).toMatchObject({ copied: 2 })
    expect(existsSync(dirname(path))).toBe(false)
  })

  it('a tier that was only read is written to again by whoever opens it next', async () => {
    const path = await filled(make)
    const from = make({ path })
    await migrate({ from, to: memory(), clock, secrets: {} })
    from.attach?.({ clock, report: () => {} })
    await from.put(entryOf(clock, 'later', 1))
    await from.close()
    expect(await migrated(make({ path }), memory())).toMatchObject({ copied: 41, damaged: 0 })
  })
})

function emptyFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '')
}

function emptyFolder(path: string): void {
  mkdirSync(path, { recursive: true })
}

it('pages of a database that are found damaged on the way are an error, and stay', async () => {
  const path = await filled(sqlite)
  spoil('sqlite', path, 8_192)
  const before = looked(path)
  for (let time = 0; time < 2; time++) {
    await expect(migrated(sqlite({ path }), memory())).rejects.toMatchObject({ code: 'tier-corrupt' })
    expect(looked(path)).toEqual(before)
  }
})

it('a folder whose manifest is damaged is read by the heads of its files, and nothing in it is mended or tidied up', async () => {
  const path = await filled(jsonl)
  writeFileSync(join(path, 'tidemark.json'), '{"tidemark":')
  writeFileSync(segmentOf(path), `${readFileSync(segmentOf(path), 'utf8')}not ours\n{"op":"set","torn`)
  writeFileSync(join(path, 'segment-00000009.jsonl.tmp-999999999-0123abcd'), 'left by a process that was killed')
  const before = looked(path)
  for (let time = 0; time < 2; time++) {
    expect(await migrated(jsonl({ path }), memory())).toMatchObject({ copied: 40, damaged: 2 })
    expect(looked(path)).toEqual(before)
  }
})
