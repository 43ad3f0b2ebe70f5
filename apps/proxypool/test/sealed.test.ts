// What a pool exports is read back: whole under the same keys, and not at all under others.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { listen } from '@tidemark/serve'
import { keyring, type Keyring } from 'tidemark/seal'
import { FakeClock } from 'tidemark/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { proxyKey } from '../src/proxy/address.ts'
import { openService, type Service } from '../src/service.ts'

let folder: string
let services: Service[]
let clock: FakeClock
const first = randomBytes(32)
const second = randomBytes(32)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proxypool-'))
  services = []
  clock = new FakeClock()
})

afterEach(async () => {
  for (const service of services) await service.close()
  rmSync(folder, { recursive: true })
})

function open(keys: Keyring): Service {
  const dataDir = join(folder, `${services.length}`)
  const service = openService({ dataDir, target: 'http://127.0.0.1:1/', keyring: keys, clock })
  services.push(service)
  return service
}

async function ask(
  { fetch }: Service,
  method: string,
  path: string,
  body?: string,
): Promise<{ readonly status: number; readonly text: string; readonly body: Record<string, unknown> }> {
  const init: RequestInit & { duplex: 'half' } = { method, duplex: 'half', ...(body === undefined ? {} : { body }) }
  const response = await fetch(new Request(`http://127.0.0.1:8230${path}`, init))
  const answer = await response.text()
  return { status: response.status, text: answer, body: path === '/export' ? {} : JSON.parse(answer) }
}

const past = {
  access_count: 7,
  last_accessed: '2029-12-31T00:00:00Z',
  health_status: 'unhealthy',
  next_check_time: '2030-01-01T00:10:00Z',
  total_health_checks: 9,
}

async function exported(): Promise<string> {
  const service = open(keyring({ active: 'a', keys: { a: first } }))
  await service.pool.add({ url: 'http://ada:love%3Alace@127.0.0.1:1', source: 'mine', ttlSeconds: 86_400 })
  await service.pool.add({
    url: 'http://127.0.0.1:2',
    past,
  })
  return (await ask(service, 'GET', '/export')).text
}

it('an export goes into an empty pool with the same keys, whole', async () => {
  const lines = await exported()
  const pool = open(keyring({ active: 'b', keys: { a: first, b: second } }))
  const { status, body } = await ask(pool, 'POST', '/import?format=sealed', `\uFEFF${lines}`)
  expect([status, body['failed'], body['skipped'], body['isComplete']]).toEqual([200, 0, 0, true])
  expect(body['loaded']).toBeGreaterThanOrEqual(3)
  expect(await pool.pool.size()).toBe(2)
  const key = proxyKey('http://127.0.0.1:1')
  expect(await pool.pool.get(key)).toMatchObject({
    url: 'http://127.0.0.1:1',
    username: 'ada',
    password: 'love:lace',
    source: 'mine',
    ttlSeconds: 86_400,
  })
  // The health of what came by itself is looked for within a minute.
  await clock.advance('61s')
  expect(await pool.pool.view(proxyKey('http://127.0.0.1:2'))).toMatchObject({
    accessCount: 7,
    health: { state: 'unhealthy', checks: 9 },
  })
  const again = await ask(pool, 'POST', '/import?format=sealed', lines)
  expect(again.body).toMatchObject({ loaded: 0, failed: 0 })
})

it('under other keys nothing of it is stored, and it is said why', async () => {
  const lines = await exported()
  const pool = open(keyring({ active: 'a', keys: { a: second } }))
  const { status, body } = await ask(pool, 'POST', '/import?format=sealed', lines)
  expect([status, body['error']]).toEqual([
    409,
    {
      code: 'wrong-keys',
      message: expect.stringContaining('keys that this pool does not have') as string,
      hint: expect.stringContaining('TIDEMARK_KEYS') as string,
    },
  ])
  expect(await pool.pool.size()).toBe(0)
})

it('one that was cut off, changed or is none', async () => {
  const lines = await exported()
  const keys = keyring({ active: 'a', keys: { a: first } })
  const cut = lines.split('\n').slice(0, 2).join('\n')
  expect((await ask(open(keys), 'POST', '/import?format=sealed', cut)).body).toMatchObject({ isComplete: false })
  const changed = lines.replace('"mine"', '"ours"')
  expect((await ask(open(keys), 'POST', '/import?format=sealed', changed)).body).toMatchObject({
    failed: 1,
    failures: [{ line: expect.any(Number) as number, reason: expect.stringContaining('checksum') as string }],
  })
  for (const none of ['', '1.2.3.4:1\n', '{}\n', 'null', '{"tidemark":"export"']) {
    const { status, body } = await ask(open(keys), 'POST', '/import?format=sealed', none)
    expect([status, body['error']]).toMatchObject([400, { code: 'import-refused' }])
  }
  const { status, body } = await ask(open(keys), 'POST', '/import?format=sealed', 'x'.repeat(5_000_000))
  expect([status, body['error']]).toMatchObject([400, { code: 'bad-request' }])
})

it('read as another format it says what it is', async () => {
  const lines = await exported()
  const pool = open(keyring({ active: 'a', keys: { a: first } }))
  const { body } = await ask(pool, 'POST', '/import?format=jsonl', lines)
  expect(body['loaded']).toBe(0)
  expect((body['failures'] as unknown[])[0]).toEqual({
    line: 1,
    reason: expect.stringContaining('sealed') as string,
  })
})

it('the command knows an export by its name, or is told', async () => {
  const lines = await exported()
  const keys = keyring({ active: 'a', keys: { a: first } })
  const main = fileURLToPath(new URL('../src/import/import-main.ts', import.meta.url))
  for (const [name, more] of [
    ['proxies.sealed.jsonl', []],
    ['proxies.txt', ['--format', 'sealed']],
  ] as const) {
    const pool = open(keys)
    const server = await listen({ name: 'proxypool', portVariable: 'PORT' }, pool.fetch, '127.0.0.1', 0)
    const path = join(folder, name)
    writeFileSync(path, lines)
    const child = spawn(process.execPath, [main, path, '--to', server.url, ...more], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const [out, error] = await Promise.all([text(child.stdout), text(child.stderr)])
    expect([out, error]).toEqual([
      expect.stringMatching(/^\{"loaded":\d+,"skipped":0,"failed":0,"isComplete":true\}/),
      '',
    ])
    expect(await pool.pool.size()).toBe(2)
    await server.close()
  }
})
