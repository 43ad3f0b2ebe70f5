import { randomBytes } from 'node:crypto'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { listen } from '@tidemark/serve'
import { keyring } from 'tidemark/seal'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startLocalProxy, startTarget, type LocalProxy } from '../src/demo/local-proxy.ts'
import { openService, type Service } from '../src/service.ts'

const ORIGIN = 'http://127.0.0.1:8230'
let dataDir: string
let target: Awaited<ReturnType<typeof startTarget>>
let proxies: LocalProxy[]
let service: Service
let errors: unknown[]

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'proxypool-'))
  target = await startTarget()
  proxies = []
  errors = []
  service = openService({
    dataDir,
    target: target.url,
    token: 'let-me-in',
    keyring: keyring({ active: 'a', keys: { a: randomBytes(32) } }),
    every: '300ms',
    timeout: '200ms',
    onError: (error) => errors.push(error),
  })
})

afterEach(async () => {
  await service.close()
  await Promise.all(proxies.map((proxy) => proxy.close()))
  target.close()
  rmSync(dataDir, { recursive: true })
  if (errors.length > 0) throw new AggregateError(errors, 'The service failed.')
})

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown> & { readonly error?: { readonly code: string } }
  readonly text: string
}

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const init: RequestInit = { method, headers }
  if (body !== undefined) init.body = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await service.fetch(new Request(`${ORIGIN}${path}`, init))
  const text = await response.text()
  const isJson =
    response.headers.get('content-type')?.includes('application/json') === true && !path.startsWith('/export')
  return { status: response.status, text, body: isJson ? (JSON.parse(text) as Answer['body']) : {} }
}

async function local(
  behaviour: Parameters<typeof startLocalProxy>[0] = {},
  credentials = '',
): Promise<{ key: string; proxy: LocalProxy }> {
  const proxy = await startLocalProxy(behaviour)
  proxies.push(proxy)
  const { body } = await ask('POST', '/proxies', { url: proxy.url.replace('//', `//${credentials}`) })
  return { key: String(body['key']), proxy }
}

const stateOf = async (key: string): Promise<unknown> =>
  ((await ask('GET', `/proxies/${key}`)).body['health'] as { state?: string } | undefined)?.state

it('real proxies are tried as their users would: good, wanting credentials, silent, dead', async () => {
  const good = await local()
  const sealed = await local({ credentials: 'ada:lovelace' }, 'ada:lovelace@')
  const wrong = await local({ credentials: 'ada:lovelace' }, 'ada:wrong@')
  const silent = await local({ isSilent: true })
  const dead = await local()
  await dead.proxy.close()
  await expect.poll(() => stateOf(good.key)).toBe('healthy')
  await expect.poll(() => stateOf(sealed.key)).toBe('healthy')
  for (const bad of [wrong, silent, dead])
    await expect.poll(() => stateOf(bad.key), { timeout: 5000 }).toBe('unhealthy')
  // A busy machine may let a check of a good one come too late, which keeps it out until the next.
  await expect
    .poll(
      async () => {
        const chosen = new Set<unknown>()
        for (let i = 0; i < 6; i++) chosen.add((await ask('GET', '/proxies/next')).body['key'])
        return chosen
      },
      { timeout: 10_000 },
    )
    .toEqual(new Set([good.key, sealed.key]))
  await expect
    .poll(async () => (await ask('GET', '/health')).body, { timeout: 10_000 })
    .toMatchObject({ status: 'degraded', proxies: { healthy: 2 } })
  await expect
    .poll(async () => (await ask('GET', '/events')).body['events'])
    .toContainEqual(expect.objectContaining({ type: 'proxy.down', key: dead.key }))
})

it('a proxy that goes down is out of `next` within an interval and a timeout, and has a history', async () => {
  const { key, proxy } = await local()
  await expect.poll(() => stateOf(key)).toBe('healthy')
  proxy.behaviour.isDown = true
  const began = Date.now()
  await expect.poll(async () => (await ask('GET', '/proxies/next')).status, { timeout: 3000, interval: 20 }).toBe(404)
  // 300 ms, 200 ms, and what a busy machine adds.
  expect(Date.now() - began).toBeLessThan(2500)
  await expect
    .poll(async () =>
      ((await ask('GET', `/proxies/${key}/history`)).body['checks'] as { ok: boolean }[]).some((it_) => !it_.ok),
    )
    .toBe(true)
  const page = await ask('GET', `/proxy/${key}`)
  expect(page.text).toContain('<polyline')
})

it('credentials are shown to nobody but who shows the token, and only with `next`', async () => {
  const { key } = await local({ credentials: 'ada:lovelace' }, 'ada:lovelace@')
  await expect.poll(() => stateOf(key)).toBe('healthy')
  for (const path of [
    '/',
    '/proxies',
    `/proxies/${key}`,
    `/proxy/${key}`,
    '/proxies/next',
    '/export',
    '/health',
    `/proxies/${key}/history`,
  ]) {
    const { text, status } = await ask('GET', path)
    expect(status).toBe(200)
    expect(text).not.toContain('lovelace')
  }
  expect((await ask('GET', '/proxies/next?credentials=true')).body.error?.code).toBe('token-required')
  expect(
    (await ask('GET', '/proxies/next?credentials=true', undefined, { authorization: 'Bearer wrong' })).status,
  ).toBe(403)
  const { body } = await ask('GET', '/proxies/next?credentials=true', undefined, { authorization: 'Bearer let-me-in' })
  expect(body).toMatchObject({ username: 'ada', password: 'lovelace' })
})

it('an import is reported with line numbers; a hostile name is shown as text', async () => {
  const { body } = await ask('POST', '/import?format=txt&source=%3Cb%3E', '127.0.0.1:1\nnot a proxy\n127.0.0.1:1\n')
  expect(body).toMatchObject({ loaded: 1, skipped: 1, failed: 1, failures: [{ line: 2 }] })
  const page = await ask('GET', '/')
  expect(page.text).toContain('&lt;b&gt;')
  expect(page.text).not.toContain('<b>&')
})

it('the command imports a file and a folder of shards into a running pool', async () => {
  const server = await listen({ name: 'proxypool', portVariable: 'PORT' }, service.fetch, '127.0.0.1', 0)
  const main = fileURLToPath(new URL('../src/import/import-main.ts', import.meta.url))
  const run = async (path: string): Promise<string> => {
    const child = spawn(process.execPath, [main, path, '--to', server.url], { stdio: ['ignore', 'pipe', 'pipe'] })
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
    return out + err
  }
  const [list, shards] = [join(dataDir, 'list.csv'), join(dataDir, 'shards')]
  writeFileSync(list, 'url,source\nhttp://127.0.0.1:1,mine\nno proxy at all,\n')
  mkdirSync(shards)
  const row = {
    proxy_url: 'http://127.0.0.1:2',
    fetch_time: '2026-01-01T00:00:00Z',
    expires_at: '2099-01-01T00:00:00Z',
  }
  writeFileSync(join(shards, 'shard_00.jsonl'), `${JSON.stringify(row)}\n7\n`)
  expect(await run(list)).toMatch(/^\{"loaded":1,"skipped":1,"failed":1\}\n\{"line":3,/)
  expect(await run(shards)).toMatch(/^\{"migrated":1,"skipped":0,"failed":1\}\n\{"shard":"shard_00.jsonl","line":2,/)
  expect(await run(join(dataDir, 'nothing.txt'))).toContain('ENOENT')
  expect(await service.pool.size()).toBe(2)
  await server.close()
})

it('removing, reporting and refusing', async () => {
  const { key } = await local()
  expect((await ask('DELETE', `/proxies/${key}`)).body).toEqual({ removed: 1 })
  expect((await ask('DELETE', `/proxies/${key}`)).status).toBe(404)
  expect((await ask('POST', `/proxies/${key}/failure`)).body).toEqual({ evicted: false })
  const wrong: readonly (readonly [string, string, unknown, string])[] = [
    ['POST', '/proxies', { url: 'ftp://x' }, 'bad-proxy'],
    ['POST', '/proxies', { url: 'a:1', nme: 1 }, 'bad-parameter'],
    ['POST', '/proxies', '{', 'bad-parameter'],
    ['GET', '/proxies/next?strategy=best', undefined, 'bad-parameter'],
    ['GET', '/proxies?limit=0', undefined, 'bad-parameter'],
    ['GET', '/proxies/../x', undefined, 'no-such-route'],
    ['DELETE', '/proxies/xyz', undefined, 'bad-parameter'],
    ['POST', '/import?format=exe', '', 'bad-parameter'],
  ]
  for (const [method, path, body, code] of wrong)
    expect((await ask(method, path, body)).body.error?.code, path).toBe(code)
})
