// `tidemark migrate`, as an operator runs it.

import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import { expect, it, onTestFinished } from 'vitest'
import { createTidemark, jsonl, sqlite, untilInvalidated, type Tier } from 'tidemark'
import { postgres } from 'tidemark/postgres'
import { redis } from 'tidemark/redis'
import { keyring } from 'tidemark/seal'
import { testFolder } from '../folder.ts'
import { schemasOver } from '../postgres/schemas.ts'
import { removeKeys } from '../redis/shared.ts'
import { requireService } from '../services.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = join(ROOT, 'src/cli/main.ts')
const folder = testFolder()
const KEYS = `main=${Buffer.alloc(32, 'k').toString('base64')}`
const keysFile = join(folder, 'keys')
writeFileSync(keysFile, KEYS, { mode: 0o600 })

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

/** A cache with secrets over one tier. */
async function withCache<T>(tier: Tier, work: (proxies: ReturnType<typeof proxiesOf>) => Promise<T>): Promise<T> {
  const ring = keyring.fromFile(keysFile)
  await using tide = createTidemark({ tiers: [{ tier, budget: '10s' }], keyring: ring })
  return await work(proxiesOf(tide))
}

function proxiesOf(tide: ReturnType<typeof createTidemark>) {
  const load = (): { password: string } => ({ password: 'loaded' })
  return tide.resource<string, { password: string }>({
    name: 'proxies',
    load,
    freshness: untilInvalidated(),
    secrets: ['password'],
  })
}

let files = 0
async function newCache(): Promise<string> {
  const path = join(folder, `${files++}.db`)
  await withCache(sqlite({ path }), async (proxies) => {
    for (let i = 0; i < 3; i++) await proxies.set(`p${i}`, { password: `hush-${i}` })
  })
  return path
}

it('copies from one file to another, with keys from the environment or a file; again, nothing is left to do', async () => {
  const [from, to] = [await newCache(), join(folder, 'copied')]
  const args = ['migrate', '--from', `sqlite:${from}`, '--to', `jsonl:${to}`]
  const dry = await tidemark([...args, '--dry-run'], { TIDEMARK_KEYS: KEYS })
  expect(dry).toEqual({ code: 0, out: '3 would be copied\n', err: '' })
  expect(existsSync(to)).toBe(false)
  expect(await tidemark(args, { TIDEMARK_KEYS: KEYS })).toEqual({ code: 0, out: '3 copied\n', err: '' })
  const again = await tidemark([...args, '--keys-file', keysFile])
  expect(again.out).toBe('0 copied\n3 were there already, as new or newer\n')
  await withCache(jsonl({ path: to }), async (proxies) =>
    expect(await proxies.stored('p2')).toEqual({ password: 'hush-2' }),
  )
})

it('without the keys, says what it left and why, and shows no secret', async () => {
  const [from, to] = [await newCache(), join(folder, 'unopened')]
  const { code, out } = await tidemark(['migrate', '--from', `sqlite:${from}`, '--to', `jsonl:${to}`])
  expect(code).toBe(0)
  expect(out).toContain('3 are sealed under a key that is not in the keyring (--keys-file, or TIDEMARK_KEYS)')
  expect(out).toContain('  proxies p1: ')
  expect(out).not.toContain('hush')
})

it.for<[string[], string]>([
  [[], '--from is missing'],
  [['--from', 'sqlite:a.db'], '--to is missing'],
  [['--from', 'sqlite:no-such-file.db', '--to', 'jsonl:x'], 'there is no no-such-file.db'],
  [['--from', 'floppy:a', '--to', 'jsonl:x'], '--from takes sqlite:FILE'],
  [['--from', 'sqlite:', '--to', 'jsonl:x'], '--from takes sqlite:FILE'],
  [['--from', 'redis:localhost', '--to', 'jsonl:x'], 'redis://HOST:PORT'],
])('exits with 2, and the usage, for %o', async ([args, message]) => {
  const { code, err, out } = await tidemark(['migrate', ...args])
  expect([code, out]).toEqual([2, ''])
  expect(err).toContain(message)
  expect(err).toContain('Usage: tidemark migrate')
})

it('exits with 1 for a file of another program, and leaves it as it is', async () => {
  const foreign = join(folder, 'foreign.db')
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(foreign)
  database.exec('create table notes (text); insert into notes values (1)')
  database.close()
  const { code, err } = await tidemark([
    'migrate',
    '--from',
    `sqlite:${foreign}`,
    '--to',
    `jsonl:${join(folder, 'no')}`,
  ])
  expect(code).toBe(1)
  expect(err).toContain('database of another program')
})

it('exits with 1 for a damaged file, each time, and leaves it as it is; a target of a dry run as well', async () => {
  const [whole, damaged] = [await newCache(), join(folder, 'damaged', 'src.db')]
  mkdirSync(join(folder, 'damaged'))
  writeFileSync(damaged, Buffer.alloc(8_192, 'x'))
  const target = `sqlite:${join(folder, 'filled.db')}`
  for (const args of [
    ['--from', `sqlite:${damaged}`, '--to', target],
    ['--from', `sqlite:${damaged}`, '--to', target],
    ['--from', `sqlite:${whole}`, '--to', `sqlite:${damaged}`, '--dry-run'],
  ]) {
    const { code, out, err } = await tidemark(['migrate', ...args], { TIDEMARK_KEYS: KEYS })
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('left as it is')
    expect(readdirSync(join(folder, 'damaged'))).toEqual(['src.db'])
    expect(readFileSync(damaged, 'utf8')).toBe('x'.repeat(8_192))
  }
  expect(existsSync(join(folder, 'filled.db'))).toBe(false)
  const { code, err } = await tidemark(['migrate', '--from', `sqlite:${whole}`, '--to', `sqlite:${damaged}`])
  expect([code, err]).toEqual([1, expect.stringContaining('moved to')])
})

await requireService('redis', (url) => {
  it('copies to Redis and back, with the client the project has', async () => {
    const [from, back] = [await newCache(), join(folder, 'back')]
    const prefix = `tidemark-cli-${process.pid}-${Date.now()}`
    const client = new Redis(url)
    onTestFinished(async () => {
      await removeKeys(client, prefix)
      client.disconnect()
    })
    const env = { TIDEMARK_KEYS: KEYS }
    const there = await tidemark(
      ['migrate', '--from', `sqlite:${from}`, '--to', url, '--to-prefix', prefix, '--json'],
      env,
    )
    expect(JSON.parse(there.out)).toMatchObject({ copied: 3, unopened: 0 })
    await withCache(redis({ client, prefix }), async (proxies) =>
      expect(await proxies.stored('p0')).toEqual({ password: 'hush-0' }),
    )
    const args = ['migrate', '--from', `redis:${url}`, '--from-prefix', prefix, '--to', `jsonl:${back}`]
    expect(await tidemark(args, env)).toEqual({ code: 0, out: '3 copied\n', err: '' })
  })

  it('takes node-redis where that is the client the project has', async () => {
    const project = join(folder, 'project')
    mkdirSync(join(project, 'node_modules'), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules/redis'), join(project, 'node_modules/redis'))
    const prefix = `tidemark-cli-${process.pid}-${Date.now()}`
    const client = new Redis(url)
    onTestFinished(async () => {
      await removeKeys(client, prefix)
      client.disconnect()
    })
    const args = ['migrate', '--from', `sqlite:${await newCache()}`, '--to', url, '--to-prefix', prefix]
    const there = await tidemark(args, { TIDEMARK_KEYS: KEYS }, project)
    expect(there).toEqual({ code: 0, out: '3 copied\n', err: '' })
  })

  it('says what to install where there is no client, and ends where nobody answers', async () => {
    const from = await newCache()
    const none = await tidemark(['migrate', '--from', `sqlite:${from}`, '--to', url], {}, folder)
    expect([none.code, none.err]).toEqual([2, expect.stringContaining('npm install ioredis')])
    const silent = await tidemark(['migrate', '--from', `sqlite:${from}`, '--to', 'redis://u:hush@127.0.0.1:1'])
    expect([silent.code, silent.err]).toEqual([1, expect.stringContaining('ECONNREFUSED')])
    expect(silent.err).not.toContain('hush')
  })
})

await requireService('postgres', (url) => {
  const { pool, next } = schemasOver(url)

  it('copies to PostgreSQL and back', async () => {
    const [from, back, schema] = [await newCache(), join(folder, 'from-postgres'), next()]
    const env = { TIDEMARK_KEYS: KEYS }
    const there = await tidemark(['migrate', '--from', `sqlite:${from}`, '--to', url, '--to-prefix', schema], env)
    expect(there).toEqual({ code: 0, out: '3 copied\n', err: '' })
    await withCache(postgres({ client: pool, schema }), async (proxies) =>
      expect(await proxies.stored('p0')).toEqual({ password: 'hush-0' }),
    )
    const args = ['migrate', '--from', url, '--from-prefix', schema, '--to', `jsonl:${back}`]
    expect(await tidemark(args, env)).toEqual({ code: 0, out: '3 copied\n', err: '' })
  })

  it('makes no schema to read from, nor for a dry run', async () => {
    const [file, schema] = [`sqlite:${await newCache()}`, next()]
    const env = { TIDEMARK_KEYS: KEYS }
    const args = ['migrate', '--from', url, '--from-prefix', schema, '--to', `jsonl:${join(folder, 'from-nothing')}`]
    const none = await tidemark(args, env)
    expect([none.code, none.err]).toEqual([1, expect.stringContaining(`There is no cache in the schema ${schema}`)])
    const dry = await tidemark(['migrate', '--from', file, '--to', url, '--to-prefix', schema, '--dry-run'], env)
    expect(dry).toEqual({ code: 0, out: '3 would be copied\n', err: '' })
    const { rows } = await pool.query('select 1 from pg_namespace where nspname = $1', [schema])
    expect(rows).toEqual([])
  })
})
