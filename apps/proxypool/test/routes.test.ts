// What the routes make of bodies and pages that are not as they should be.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { keyring } from 'tidemark/seal'
import { FakeClock } from 'tidemark/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openService, type Service } from '../src/service.ts'

let dataDir: string
let service: Service
let errors: unknown[]

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'proxypool-'))
  errors = []
  service = openService({
    dataDir,
    target: 'http://127.0.0.1:1/',
    keyring: keyring({ active: 'a', keys: { a: randomBytes(32) } }),
    clock: new FakeClock(),
    onError: (error) => errors.push(error),
  })
})

afterEach(async () => {
  await service.close()
  rmSync(dataDir, { recursive: true })
  if (errors.length > 0) throw new AggregateError(errors, 'The service failed.')
})

interface Body {
  readonly error?: { readonly code: string; readonly message: string }
  readonly proxies?: readonly { readonly key: string }[]
  readonly next?: string
}

async function ask(
  method: string,
  path: string,
  body?: string | ReadableStream,
): Promise<{ readonly status: number; readonly body: Body }> {
  const init: RequestInit & { duplex: 'half' } = { method, duplex: 'half', ...(body === undefined ? {} : { body }) }
  const response = await service.fetch(new Request(`http://127.0.0.1:8230${path}`, init))
  return { status: response.status, body: (await response.json()) as Body }
}

const KEY = '0123456789abcdef'

it.for([
  ['/proxies', '{"url":"127.0.0.1:99999:u:p"}', 'bad-proxy', 'address'],
  ['/proxies', '{"url":"127.0.0.1:99999"}', 'bad-proxy', 'address'],
  ['/proxies', 'null', 'bad-parameter', '`url`'],
  ['/proxies', '[]', 'bad-parameter', '`url`'],
  ['/proxies', '', 'bad-parameter', '`url`'],
  ['/proxies', '{"url":"a:1","ttl_seconds":true}', 'bad-proxy', 'ttlSeconds'],
  ['/proxies', '{"url":"a:1","past":{"access_count":-1}}', 'bad-proxy', '`access_count`'],
  ['/proxies', '{"url":"a:1","past":[]}', 'bad-proxy', '`past`'],
  ['/proxies', '{"url":"a:1","__proto__":{"x":1}}', 'bad-parameter', 'nothing but'],
  [`/proxies/${KEY}/failure`, 'null', 'bad-parameter', '`error`'],
  [`/proxies/${KEY}/failure`, '"x"', 'bad-parameter', '`error`'],
  [`/proxies/${KEY}/failure`, '{', 'bad-parameter', '`error`'],
  [`/proxies/${KEY}/failure`, '{"error":5}', 'bad-parameter', '`error`'],
] as const)('POST %s with %s is a bad request', async ([path, body, code, word]) => {
  const answer = await ask('POST', path, body)
  expect([answer.status, answer.body.error]).toMatchObject([
    400,
    { code, message: expect.stringContaining(word) as string },
  ])
})

it.for([
  ['POST', '/proxies'],
  ['POST', `/proxies/${KEY}/failure`],
  ['DELETE', `/proxies/${KEY}`],
] as const)('%s %s: no more of a body is read than a body may have', async ([method, path]) => {
  let pulled = 0
  const endless = new ReadableStream({
    pull: (to) => {
      if (++pulled > 1_000) to.error(new Error('Too much was read.'))
      else to.enqueue(Buffer.alloc(16 * 1024, 'x'))
    },
  })
  const { status, body } = await ask(method, path, endless)
  expect([status, body.error?.code]).toEqual([413, 'too-large'])
  expect(pulled).toBeLessThan(20)
})

it('an import may have any length', async () => {
  const line = `# ${'x'.repeat(1_000)}\n`
  expect((await ask('POST', '/import?format=txt', `${line.repeat(500)}127.0.0.1:1\n`)).body).toMatchObject({
    loaded: 1,
  })
})

describe('pages', () => {
  const fill = async (count: number): Promise<string[]> =>
    (
      await Promise.all(Array.from({ length: count }, (_, i) => service.pool.add({ url: `127.0.0.1:${i + 1}` })))
    ).toSorted()

  it('all proxies, each once, whatever the length of a page', async () => {
    const keys = await fill(23)
    for (const limit of [1, 2, 5, 22, 23, 24]) {
      const listed: string[] = []
      for (let next: string | undefined = '0'.repeat(16); next !== undefined;) {
        const { body } = await ask('GET', `/proxies?limit=${limit}&after=${next}`)
        expect(body.proxies?.length).toBeLessThanOrEqual(limit)
        listed.push(...(body.proxies ?? []).map(({ key }) => key))
        ;({ next } = body)
      }
      expect(listed).toEqual(keys)
    }
  })

  it('go on where the last one ended, also when that proxy was removed meanwhile', async () => {
    const keys = await fill(6)
    const { body } = await ask('GET', '/proxies?limit=3')
    expect(body.next).toBe(keys[2])
    await ask('DELETE', `/proxies/${body.next}`)
    const { body: rest } = await ask('GET', `/proxies?limit=3&after=${body.next}`)
    expect([rest.proxies?.map(({ key }) => key), rest.next]).toEqual([keys.slice(3), undefined])
  })

  it('a place that is none is refused', async () => {
    expect((await ask('GET', '/proxies?after=x')).status).toBe(400)
  })
})
