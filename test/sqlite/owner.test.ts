// Files that are not ours, or not ours yet to read: refused, and left exactly as they were.

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { createTidemark, isTidemarkError, memory, sqlite, type TidemarkError } from 'tidemark'
import { entryOf } from '../../src/testing/tier-cases/case.ts'
import { openTier, testPaths } from './tier.ts'

const nextPath = testPaths()

const contents = (path: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(dirname(path)).map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(dirname(path), name)))
        .digest('hex'),
    ]),
  )

const refusal = (path: string): TidemarkError => {
  try {
    createTidemark({ tiers: [memory(), sqlite({ path })] })
  } catch (error) {
    return error as TidemarkError
  }
  throw new Error('nothing was thrown')
}

function foreign(path: string, setup: string): void {
  const db = new DatabaseSync(path)
  db.exec(setup)
  db.close()
}

it.for([
  ["another program's tables", "CREATE TABLE customers (name TEXT); INSERT INTO customers VALUES ('Ada')"],
  ["another program's number and no table yet", 'PRAGMA application_id = 12345'],
  ['tables of the same names as ours', 'CREATE TABLE entries (id INTEGER); CREATE TABLE file (id INTEGER)'],
] as const)('tier-foreign: %s: not a byte of the file changes', ([, setup]) => {
  const path = nextPath()
  foreign(path, setup)
  const before = contents(path)
  const error = refusal(path)
  expect(isTidemarkError(error, 'tier-foreign')).toBe(true)
  expect(error.message).toContain(path)
  expect(error.hint).toContain('choose another path')
  expect(contents(path)).toEqual(before)
})

it('tier-newer: a file of a later version: not a byte of it changes', async () => {
  const path = nextPath()
  const { tier, clock } = openTier(path)
  await tier.put(entryOf(clock, 'users', 'a', 1))
  await tier.close()
  foreign(path, 'PRAGMA journal_mode = DELETE; PRAGMA user_version = 99')
  const before = contents(path)
  const error = refusal(path)
  expect(isTidemarkError(error, 'tier-newer')).toBe(true)
  expect(error.data).toEqual({ path, version: 99 })
  expect(contents(path)).toEqual(before)
})

it('an empty file is a file to be filled, as is one that is not there', async () => {
  const path = nextPath()
  writeFileSync(path, '')
  const { tier, clock } = openTier(path)
  await tier.put(entryOf(clock, 'users', 'a', 1))
  expect(await tier.count({ kind: 'all' })).toBe(1)
})

it('a directory is refused at once, with a file to name in it', () => {
  const path = nextPath()
  mkdirSync(path)
  writeFileSync(join(path, 'precious'), 'data')
  expect(() => sqlite({ path })).toThrow(`name a file in it, such as ${path}/cache.db`)
  expect(readdirSync(path)).toEqual(['precious'])
})

it('a file where a folder should be is a state of the tier, not an exception [proxies 20]', async () => {
  const path = nextPath()
  writeFileSync(path, 'a file')
  const tide = createTidemark({ tiers: [memory(), sqlite({ path: join(path, 'cache.db') })] })
  const users = tide.resource({
    name: 'users',
    load: async (key: string) => key,
    freshness: { kind: 'ttl', freshMs: () => 1_000 },
  })
  expect(await users.get('a')).toBe('a')
  expect((await tide.tiers())[1]).toMatchObject({
    tier: 'sqlite',
    state: expect.stringMatching(/suspect|open/) as string,
  })
  await tide.close()
  expect(readFileSync(path, 'utf8')).toBe('a file')
})
