import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isTidemarkError, sqlite, type SqliteOptions } from 'tidemark'
import { Connection } from '../../src/tier/sqlite/connection.ts'
import { entryOf } from '../../src/testing/tier-cases/case.ts'
import { openTier, sql, testPaths } from './tier.ts'

const nextPath = testPaths()

describe('the file', () => {
  it('and everything beside it is private, also in a folder that others may read [proxies 36]', async () => {
    const path = join(dirname(nextPath()), 'open', 'made', 'cache.db')
    mkdirSync(dirname(dirname(path)), { mode: 0o755 })
    const { tier, clock } = openTier(path)
    await tier.put(entryOf(clock, 'users', 'a', 'x'.repeat(100_000)))
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
    expect(statSync(dirname(dirname(path))).mode & 0o777, 'what was there is not ours to change').toBe(0o755)
    const names = readdirSync(dirname(path), { recursive: true, encoding: 'utf8' })
    expect(names.length).toBeGreaterThanOrEqual(5)
    for (const name of names) {
      const stat = statSync(join(dirname(path), name))
      expect(stat.mode & 0o777, name).toBe(stat.isDirectory() ? 0o700 : 0o600)
    }
  })

  it('says whose it is, so that nobody else takes it for theirs', async () => {
    const { tier, clock, path } = openTier(nextPath())
    await tier.put(entryOf(clock, 'users', 'a', 1))
    expect(sql(path, 'PRAGMA application_id')).toEqual([{ application_id: 0x54696465 }])
    expect(sql(path, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }])
    expect(sql(path, 'PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
  })

  it.for([
    ['process', 1],
    ['power-loss', 2],
  ] as const)('durability %s: synchronous is %d', ([durability, synchronous]) => {
    const connection = new Connection({ path: nextPath(), durability, tally: false })
    onTestFinished(() => connection.close())
    expect(connection.db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous })
    expect(connection.db.prepare('PRAGMA foreign_keys').get()).toEqual({ foreign_keys: 1 })
  })

  it('counts are only kept in files that have a limit', async () => {
    const path = nextPath()
    const { tier, clock } = openTier(path)
    await tier.put(entryOf(clock, 'users', 'a', 'abc'))
    const triggers = (): unknown[] => sql(path, "SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    expect(triggers()).toEqual([])
    openTier(path, { maxEntries: 5 })
    expect(triggers()).toHaveLength(3)
    expect(sql(path, 'SELECT entries, bytes FROM tally')).toEqual([{ entries: 1, bytes: 5 }])
  })
})

describe('a damaged file', () => {
  it('is moved aside with everything that was in it, byte for byte', async () => {
    const path = nextPath()
    const garbage = Buffer.alloc(20_000, 'not a database ')
    writeFileSync(path, garbage)
    const { tier, clock, reports } = openTier(path)
    const aside = readdirSync(dirname(path)).find((name) => name.includes('.corrupt-')) as string
    expect(aside).toMatch(/^cache\.db\.corrupt-\d{4}-\d\d-\d\dT[\d-]+Z$/)
    expect(readFileSync(join(dirname(path), aside)).equals(garbage)).toBe(true)
    expect(reports).toMatchObject([{ kind: 'corrupt', key: undefined }, { kind: 'quarantined' }])
    await tier.put(entryOf(clock, 'users', 'a', 1))
    expect((await tier.get({ name: 'users', id: 'a' }))?.value).toBe(1)
  })
})

describe('in memory', () => {
  it('is neither shared nor persistent, and leaves nothing behind', async () => {
    const before = readdirSync('.')
    const tier = sqlite({ path: ':memory:' })
    expect(tier.capabilities).toMatchObject({ persistent: false, shared: false, sync: true })
    expect([tier.feed, tier.claims]).toEqual([undefined, undefined])
    const { clock } = openTier(nextPath())
    tier.attach?.({ clock, report: () => {} })
    await tier.put(entryOf(clock, 'users', 'a', 'x'.repeat(200_000)))
    expect((await tier.get({ name: 'users', id: 'a' }))?.value).toHaveLength(200_000)
    await tier.close()
    expect(readdirSync('.')).toEqual(before)
  })
})

describe('options', () => {
  const codeOf = (options: unknown): unknown => {
    try {
      sqlite(options as SqliteOptions)
      return undefined
    } catch (error) {
      return isTidemarkError(error) ? `${error.code} ${String(error.data['option'])}` : error
    }
  }

  it.for<readonly [unknown, string]>([
    [{ path: '' }, 'invalid-option sqlite.path'],
    [{ path: 5 }, 'invalid-option sqlite.path'],
    [{ path: 'a\0b' }, 'invalid-option sqlite.path'],
    [{ maxEntries: 0 }, 'invalid-option sqlite.maxEntries'],
    [{ maxEntries: 1.5 }, 'invalid-option sqlite.maxEntries'],
    [{ maxBytes: -1 }, 'invalid-option sqlite.maxBytes'],
    [{ maxBytes: '1MB' }, 'invalid-option sqlite.maxBytes'],
    [{ maxEntryBytes: Number.NaN }, 'invalid-option sqlite.maxEntryBytes'],
    [{ durability: 'full' }, 'invalid-option sqlite.durability'],
    [{ maxentries: 5 }, 'unknown-option maxentries'],
    ['data/cache.db', 'invalid-option sqlite()'],
  ])('%j is refused', ([options, told]) => {
    expect(codeOf(options)).toBe(told)
  })
})

it('closing waits for writes that wait for another process', async () => {
  const path = nextPath()
  const { tier, clock } = openTier(path)
  await tier.put(entryOf(clock, 'users', 'a', 'old'))
  const other = new DatabaseSync(path)
  onTestFinished(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const written = tier.put(entryOf(clock, 'users', 'a', 'new'))
  const closed = tier.close()
  await new Promise((resolve) => setTimeout(resolve, 30))
  other.exec('COMMIT')
  expect(await written).toBe(true)
  await closed
  expect(sql(path, 'SELECT value FROM entries')).toEqual([{ value: '"new"' }])
})

it('a closed tier says so', async () => {
  const { tier, clock } = openTier(nextPath())
  await tier.put(entryOf(clock, 'users', 'a', 1))
  await tier.close()
  await tier.close()
  const closed = async (act: () => unknown): Promise<boolean> => {
    try {
      await act()
      return false
    } catch (error) {
      return isTidemarkError(error, 'closed')
    }
  }
  expect(await closed(() => tier.get({ name: 'users', id: 'a' }))).toBe(true)
  expect(await closed(() => tier.put(entryOf(clock, 'users', 'a', 2)))).toBe(true)
  expect(await closed(() => tier.remove({ kind: 'all' }))).toBe(true)
})
