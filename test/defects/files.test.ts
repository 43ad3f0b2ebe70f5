// What the old pool did to its files; see lines.ts.

import { existsSync, readFileSync, readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { jsonl, memory, sqlite, type JsonlOptions, type Tier } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { testFolder } from '../folder.ts'
import { attached, entryOf, keysOf, open } from './rig.ts'

const folder = testFolder()
let files = 0
const newPath = (): string => join(folder, `${files++}`, 'cache')

describe.for([
  { kind: 'jsonl', make: jsonl },
  { kind: 'sqlite', make: sqlite },
])('$kind', ({ make }) => {
  it('what is written while it is swept and cleared is there: 100 of 100 [proxies 7]', async () => {
    const clock = new FakeClock()
    const path = newPath()
    const tier = attached(make({ path }), clock)
    const soon = clock.now() + 10
    const short = { freshUntil: soon, staleUntil: soon, errorUntil: soon, keepUntil: soon }
    for (let i = 0; i < 200; i++) await tier.put(entryOf(clock, `short ${i}`, i, short))
    await tier.put(entryOf(clock, 'x', 'x', { key: { name: 'others', id: 'x' } }))
    await clock.advance(10)
    const work: unknown[] = []
    let swept = 0
    for (let i = 0; i < 100; i++) {
      work.push(tier.put(entryOf(clock, `kept ${i}`, i)))
      if (i % 5 === 0) swept += await tier.sweep(clock.now(), 20)
      if (i === 50) work.push(tier.remove({ kind: 'name', name: 'others' }))
    }
    await Promise.all(work)
    while ((await tier.sweep(clock.now(), 50)) > 0) swept++
    expect(await tier.count({ kind: 'all' })).toBe(100)
    expect(swept).toBeGreaterThan(0)
    const again = attached(make({ path }), clock)
    for (let i = 0; i < 100; i++) expect((await again.get({ name: 'users', id: `kept ${i}` }))?.value).toBe(i)
    expect(await again.get({ name: 'users', id: 'short 3' })).toBeUndefined()
  })

  it('opened again with other options, every entry is there and the newest counts [proxies 10]', async () => {
    const clock = new FakeClock()
    const path = newPath()
    const put = async (options: Omit<JsonlOptions, 'path'>, value: string): Promise<void> => {
      const tier = make({ path, ...options })
      tier.attach?.({ clock, report: () => {} })
      for (let i = 0; i < 20; i++)
        expect((await tier.get({ name: 'users', id: `${i}` })) === undefined).toBe(value === 'one')
      await tier.put(entryOf(clock, '0', value))
      if (value === 'one') for (let i = 1; i < 20; i++) await tier.put(entryOf(clock, `${i}`, i))
      await tier.close()
    }
    await put({ maxEntries: 100 }, 'one')
    await put({ durability: 'power-loss' }, 'two')
    await put({ maxEntries: 50, maxEntryBytes: 1_000 }, 'three')
    await put({ maxEntries: 100 }, 'four')
    const tier = attached(make({ path }), clock)
    expect((await tier.get({ name: 'users', id: '0' }))?.value).toBe('four')
    expect(await tier.count({ kind: 'all' })).toBe(20)
  })

  it('who leaves after a restart, also one without a close, is who came first [proxies 15]', async () => {
    const clock = new FakeClock()
    const path = newPath()
    const killed = make({ path, maxEntries: 3 })
    killed.attach?.({ clock, report: () => {} })
    for (const id of ['a', 'b', 'c']) await killed.put(entryOf(clock, id, id))
    const tier = attached(make({ path, maxEntries: 3 }), clock)
    await tier.put(entryOf(clock, 'd', 'd'))
    expect(await keysOf(tier)).toEqual(['b', 'c', 'd'])
    await killed.close()
  })

  it('a folder that cannot be used is a state of its tier; the others answer [proxies 20]', async () => {
    const file = newPath()
    const place = join(file, 'not-a-folder')
    const { users: first } = open([sqlite({ path: file })])
    await first.set('a', 'a')
    const { users, tide } = open([memory(), make({ path: join(place, 'x') })])
    await users.set('b', 'b')
    expect([await users.get('b'), await users.get('c')]).toEqual(['b', 'LOADED'])
    expect((await tide.tiers())[1]).toMatchObject({ state: expect.not.stringMatching(/^up$/) })
  })

  it.runIf(existsSync('/proc/self/fd'))('closing closes every file it had open [proxies 29]', async () => {
    const path = newPath()
    const openFiles = (): string[] =>
      readdirSync('/proc/self/fd').flatMap((fd) => {
        try {
          const target = readlinkSync(join('/proc/self/fd', fd))
          return target.startsWith(path) ? [target] : []
        } catch {
          return []
        }
      })
    const clock = new FakeClock()
    for (let i = 0; i < 20; i++) {
      const tier = make({ path })
      tier.attach?.({ clock, report: () => {} })
      await tier.put(entryOf(clock, 'a', i))
      expect((await tier.get({ name: 'users', id: 'a' }))?.value).toBe(i)
      expect(openFiles()).not.toEqual([])
      await tier.close()
    }
    expect(openFiles()).toEqual([])
  })
})

describe('sqlite', () => {
  it('a write that failed leaves no transaction behind, and what had to leave for it leaves with the next [proxies 13, 29]', async () => {
    const clock = new FakeClock()
    const path = newPath()
    const tier = attached(sqlite({ path, maxEntries: 3 }), clock)
    for (const id of ['a', 'b', 'c']) await tier.put(entryOf(clock, id, id))
    const other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    const loaded = tier.put(entryOf(clock, 'd', 'd'), await tier.lease())
    await expect(loaded).rejects.toMatchObject({ code: 'tier-busy' })
    other.exec('COMMIT')
    for (const id of ['e', 'f']) await tier.put(entryOf(clock, id, id))
    const rows = other.prepare('SELECT key FROM entries ORDER BY key').all()
    expect(rows).toEqual([{ key: 'c' }, { key: 'e' }, { key: 'f' }])
    other.close()
  })

  it('many damaged rows are misses and counts, and no failure of the tier [proxies 22, S6]', async () => {
    const path = newPath()
    const first = open([sqlite({ path })])
    for (let i = 0; i < 50; i++) await first.users.set(`${i}`, `value ${i}`)
    await first.tide.close()
    const database = new DatabaseSync(path)
    database.exec(`UPDATE entries SET value = replace(value, 'value', 'wrong')`)
    database.close()
    const { users, tide, events } = open([sqlite({ path })])
    for (let i = 0; i < 50; i++) expect(await users.get(`${i}`)).toBe('LOADED')
    expect((await users.stats()).corrupt).toBe(50)
    expect((await tide.tiers())[0]).toMatchObject({ state: 'up', failures: { reads: 0 } })
    expect(events.filter(({ type }) => type === 'tier-state')).toEqual([])
  })
})

describe('jsonl at 5 000 rows', () => {
  const row = (i: number): string => `${i} ${'x'.repeat(300)}`

  async function filled(path: string, clock: FakeClock): Promise<Tier> {
    const tier = attached(jsonl({ path }), clock)
    for (let i = 0; i < 5_000; i += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, j) => tier.put(entryOf(clock, `${i + j}`, row(i + j)))))
    }
    return tier
  }
  const sizes = (path: string): number =>
    readdirSync(path).reduce((sum, name) => sum + statSync(join(path, name)).size, 0)

  it('a write appends its own line and nothing else [proxies 35]', async () => {
    const clock = new FakeClock()
    const path = newPath()
    const tier = await filled(path, clock)
    const before = sizes(path)
    for (let i = 0; i < 100; i++) await tier.put(entryOf(clock, `${i * 50}`, row(i)))
    const perPut = (sizes(path) - before) / 100
    expect(perPut).toBeGreaterThan(300)
    expect(perPut).toBeLessThan(1_000)
  })

  it.runIf(existsSync('/proc/self/io'))('a read reads its own line and no other [proxies 35]', async () => {
    const clock = new FakeClock()
    const path = newPath()
    const tier = await filled(path, clock)
    const readBytes = (): number => Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
    const before = readBytes()
    for (let i = 0; i < 500; i++) expect((await tier.get({ name: 'users', id: `${i * 10}` }))?.value).toBe(row(i * 10))
    // A line has some 600 bytes; a shard of the old pool had 150 000.
    expect((readBytes() - before) / 500).toBeLessThan(8_000)
  })
})

it('a line of a newer or foreign program in the folder keeps nothing from opening [proxies 19]', async () => {
  const path = newPath()
  const first = open([jsonl({ path })])
  await first.users.set('a', 'a')
  await first.tide.close()
  const segment = readdirSync(path).find((name) => name.startsWith('segment-')) as string
  const bytes = readFileSync(join(path, segment))
  const poison = Buffer.concat([Buffer.from('123\nnull\n"x"\n[1]\n{"a":\n'), Buffer.from([0xff, 0xfe, 0x0a])])
  writeFileSync(join(path, segment), Buffer.concat([bytes, poison]))
  const { users, tide } = open([memory(), jsonl({ path })])
  expect(await users.get('a')).toBe('a')
  expect((await tide.tiers())[1]?.state).toBe('up')
})
