// The commands, as an operator runs them: processes of their own over real databases.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { testFolder } from '../folder.ts'
import { onPostgres, plainTables } from '../source/postgres.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = join(ROOT, 'src/cli/main.ts')
const folder = testFolder()

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function tidemark(args: readonly string[], env: Record<string, string> = {}, cwd = ROOT): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, env: { PATH: '', ...env } })
  let [out, err] = ['', '']
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })))
}

describe('tidemark', () => {
  it('says what it can do', async () => {
    const help = await tidemark([])
    expect(help.code).toBe(0)
    for (const name of ['install-revisions', 'revisions-status', 'remove-revisions']) expect(help.out).toContain(name)
    const one = await tidemark(['install-revisions', '--help'])
    expect([one.code, one.out]).toEqual([0, expect.stringContaining('--tables a,b')])
  })

  it.for<[string[], string]>([
    [['polish'], 'There is no command polish'],
    [['toString'], 'There is no command toString'],
    [['install-revisions', '--url', 'postgres://x/y'], '--tables is missing'],
    [['install-revisions', '--tables', 'a'], 'Name the database'],
    [['install-revisions', '--tabels', 'a'], "Unknown option '--tabels'"],
    [['revisions-status', '--sqlite', 'x.db', '--schema', 'a'], '--sqlite goes with neither'],
  ])('exits with 2, and the usage, for %o', async ([args, message]) => {
    const { code, err, out } = await tidemark(args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(message)
    expect(err).toContain('Usage: tidemark')
  })
})

describe('over a SQLite file', () => {
  it('installs, tells, removes', async () => {
    const path = join(folder, 'hub.db')
    const database = new DatabaseSync(path)
    onTestFinished(() => database.close())
    database.exec('create table topics (id); create table tasks (id)')
    const at = ['--sqlite', path]
    const era = () => (database.prepare('select id from tidemark_era').get() as { id: string }).id
    expect(await tidemark(['revisions-status', ...at])).toEqual({ code: 0, out: 'nothing is installed\n', err: '' })
    const installed = await tidemark(['install-revisions', '--tables', 'topics, tasks', ...at])
    expect(installed).toEqual({ code: 0, out: 'installed on topics\ninstalled on tasks\n', err: '' })
    const before = era()
    expect((await tidemark(['install-revisions', '--tables', 'topics', ...at])).out).toBe('nothing was missing\n')
    expect(era()).toBe(before)
    await tidemark(['install-revisions', '--tables', 'topics', '--new-era', ...at])
    expect(era()).not.toBe(before)
    database.exec('insert into topics values (1), (2)')
    const status = await tidemark(['revisions-status', '--json', ...at])
    expect(JSON.parse(status.out)).toEqual({
      tables: [
        { table: 'tasks', count: 0, missing: [] },
        { table: 'topics', count: 2, missing: [] },
      ],
    })
    expect((await tidemark(['remove-revisions', '--tables', 'tasks', ...at])).out).toBe('removed from tasks\n')
    expect((await tidemark(['remove-revisions', ...at])).out).toBe('removed from topics\n')
    expect((await tidemark(['remove-revisions', ...at])).out).toBe('nothing was installed\n')
  })

  it('exits with 1, and what to do, for a table that is none', async () => {
    const { code, err } = await tidemark(['install-revisions', '--tables', 'x', '--sqlite', join(folder, 'empty.db')])
    expect(code).toBe(1)
    expect(err).toContain('there is no such table.\nName tables of the main database')
  })
})

await onPostgres((database) => {
  it('installs, tells, removes', async () => {
    await plainTables(database, 'topics', 'tasks')
    const topics = `${database.schema}.topics`
    const at = ['--schema', database.own]
    const env = { DATABASE_URL: database.url }
    const run = (...args: string[]) => tidemark([...args, ...at], env)
    expect((await run('install-revisions', '--tables', topics, '--notify')).out).toBe(`installed on ${topics}\n`)
    await database.run('insert into topics values (1)')
    expect((await run('revisions-status')).out).toBe(`${topics}           1 writes  counters, notify\n`)
    await database.run('alter table topics disable trigger user')
    expect((await run('revisions-status')).out).toContain(`MISSING: ${topics}`)
    expect(JSON.parse((await run('remove-revisions', '--json')).out)).toEqual({ removed: [topics] })
    const wrong = await run('install-revisions', '--tables', topics, '--mode', 'exact')
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('installRevisions.mode')])
  })

  it('says what to install where pg is not', async () => {
    const args = ['revisions-status', '--url', database.url]
    const { code, err } = await tidemark(args, {}, folder)
    expect([code, err]).toEqual([2, expect.stringContaining('npm install pg')])
  })

  it('a database that does not answer is an error, without its password', async () => {
    const { code, err } = await tidemark(['revisions-status', '--url', 'postgres://u:hush@127.0.0.1:1/x'])
    expect(code).toBe(1)
    expect(err).toContain('ECONNREFUSED')
    expect(err).not.toContain('hush')
  })
})
