// No credential of anything that is given to the pool comes out of it: not in an answer, a report, an event, a log or a file.

import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { keyring } from 'tidemark/seal'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { migrateShards } from '../src/import/legacy.ts'
import { proxyKey } from '../src/proxy/address.ts'
import { openService, type Service } from '../src/service.ts'

const ORIGIN = 'http://127.0.0.1:8230'
/** Lower case, since hosts become that. */
const SECRET = 'hunter2secret'
// Nothing is dialled; what a client says of a proxy it could not reach has the address as the client got it.
vi.mock('undici', () => ({
  ProxyAgent: class {
    async destroy(): Promise<void> {}
  },
  request: async () => {
    throw new Error(`No way to http://alice:${SECRET}@1.2.3.4:8080/`)
  },
}))
let dataDir: string
let service: Service
/** Everything that was said: answers, events, logs. */
let said: string[]

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'proxypool-'))
  said = []
  for (const name of ['log', 'warn', 'error'] as const)
    vi.spyOn(console, name).mockImplementation((...words: unknown[]) => void said.push(inspect(words, { depth: 9 })))
  service = openService({
    dataDir,
    target: 'http://127.0.0.1:1/',
    token: 'let-me-in',
    keyring: keyring({ active: 'a', keys: { a: randomBytes(32) } }),
    every: '1h',
  })
  service.pool.tide.on('event', (event) => said.push(inspect(event, { depth: 9 })))
  service.pool.on((news) => said.push(inspect(news)))
})

afterEach(async () => {
  await service.close()
  vi.restoreAllMocks()
  rmSync(dataDir, { recursive: true })
})

async function ask(method: string, path: string, body?: string): Promise<string> {
  const response = await service.fetch(
    new Request(`${ORIGIN}${path}`, { method, ...(body === undefined ? {} : { body }) }),
  )
  const text = await response.text()
  said.push(text)
  return text
}

/** Looks everywhere, then closes the pool, so that all of it is in the files. */
async function searchAll(): Promise<void> {
  for (const path of ['/', '/proxies', '/health', '/events', '/export']) await ask('GET', path)
  for await (const key of service.pool.keys())
    for (const path of [`/proxies/${key}`, `/proxy/${key}`, `/proxies/${key}/history`]) await ask('GET', path)
  await service.close()
  for (const text of said) expect(text.toLowerCase()).not.toContain(SECRET)
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((it_) => it_.isFile())
  for (const file of files)
    expect(readFileSync(join(file.parentPath, file.name)).toString('latin1').toLowerCase()).not.toContain(SECRET)
}

/** Addresses as lists have them, and as they have them wrong. */
const ADDRESSES = [
  `alice:${SECRET}:1.2.3.4:8080`,
  `alice:${SECRET}@1.2.3.4:99999`,
  `alice:${SECRET}@1.2.3.4:8080/path`,
  `http://alice:${SECRET}@1.2.3.4`,
  `http://alice:${SECRET}@1.2.3.4:8080?x`,
  `http://alice:${SECRET}@@1.2.3.4:8080/`,
  `http://alice:x@${SECRET}@1.2.3.4:0`,
  `http://1.2.3.4:8080@alice:${SECRET}`,
  `1.2.3.4:8080@alice:${SECRET}`,
  `http://1.2.3.4:8080:alice:${SECRET}`,
  `http://1.2.3.4:8080/alice:${SECRET}`,
  `http://1.2.3.4:8080?user=alice&password=${SECRET}`,
  `http://1.2.3.4:8080#${SECRET}`,
  `1.2.3.4:99999:alice:${SECRET}`,
  `1.2.3.4:0:alice:p@${SECRET}`,
  `1.2.3.4:0:alice:p@${SECRET}:12`,
  `1.2.3.4:8080:alice:${SECRET}`,
  `1.2.3.4:8080 alice ${SECRET}`,
  `1.2.3.4:8080\talice:${SECRET}`,
  `1.2.3.4 8080 alice ${SECRET}`,
  `1.2.3.4:8080;alice;${SECRET}`,
  `1.2.3.4:8080|alice|${SECRET}`,
  `socks5://alice:${SECRET}@1.2.3.4:1080`,
  `${SECRET}://1.2.3.4:1080`,
  `alice://${SECRET}:1080`,
  `1.2.3.4:8080@${SECRET}:1080`,
  `http://%zz:${SECRET}@1.2.3.4:1080`,
  `http://alice%zz${SECRET}:x@1.2.3.4:1080`,
  `alice:${SECRET}`,
  `alice ${SECRET}`,
  SECRET,
  `${SECRET}${'x'.repeat(3000)}`,
]

const OBJECTS = [
  `{"url":"http://1.1.1.1:1","password":"${SECRET}"x}`,
  `{"url":"http://1.1.1.1:1","password":'${SECRET}'}`,
  `{"url":"http://1.1.1.1:1","password":"${SECRET}`,
  `{"url":"http://1.1.1.1:1","password":${SECRET}}`,
  SECRET,
  `"${SECRET}`,
  `["${SECRET}"]`,
  `{"url":{"password":"${SECRET}"}}`,
  `{"url":"http://1.1.1.1:1","password":["${SECRET}"]}`,
  `{"url":"http://1.1.1.1:1","${SECRET}":1}`,
  `{"url":"http://1.1.1.1:1","ttl_seconds":"${SECRET}"}`,
  `{"url":"http://1.1.1.1:1","fetched_at":"${SECRET}"}`,
  `{"url":"http://1.1.1.1:1","password_encrypted":"${SECRET}"}`,
  `{"url":"http://1.1.1.1:1","past":{"health_status":"${SECRET}"}}`,
  `{"url":"http://1.1.1.1:1","past":{"password":"${SECRET}","last_health_error":"http://alice:${SECRET}@1.1.1.1:1 failed"}}`,
  ...ADDRESSES.map((url) => JSON.stringify({ url })),
  ...ADDRESSES.map((url) => JSON.stringify(url)),
]

const TABLES = [
  `host,port,username,password\n1.2.3.9,8080,alice,${SECRET}`,
  `ip;port;user;password\n1.2.3.9;8080;alice;${SECRET}`,
  `address,port,login,secret\n1.2.3.9,8080,alice,${SECRET}`,
  `address,country,login,secret\nhttp://1.2.3.9:8080,de,alice,${SECRET}`,
  `"url,username\nhttp://1.2.3.9:8080,de,alice,${SECRET}`,
  `1.2.3.9,8080,alice,${SECRET}`,
  `1.2.3.9,alice,x,${SECRET}`,
  `alice,${SECRET},1.2.3.4,8080`,
  `${SECRET},alice,1.2.3.4,8080`,
  `url,username,password,source\nhttp://1.2.3.9:8080,alice,se,${SECRET},mine`,
  `url,username,password,source\nhttp://1.2.3.9:8080,alice,"${SECRET}" x,mine`,
  `url,username,password,source\nhttp://1.2.3.9:8080,alice,"${SECRET}`,
  `url,ttl_seconds\nhttp://1.2.3.9:8080,${SECRET}`,
  ...ADDRESSES.map((url) => `url\n"${url}"`),
  ...ADDRESSES,
]

it('whatever is wrong with what is added', async () => {
  for (const body of OBJECTS) await ask('POST', '/proxies', body)
  await searchAll()
})

it.for([
  ['txt', ADDRESSES],
  ['txt', OBJECTS],
  ['jsonl', OBJECTS],
  ['jsonl', ADDRESSES],
  ['json', OBJECTS.map((it_) => `[${it_}]`)],
  ['json', [`["http://u:${SECRET}@1.1.1.1:1", ${SECRET}]`, `{"proxies":"${SECRET}"}`]],
  ['csv', TABLES],
  ['csv', OBJECTS],
  ['sealed', OBJECTS],
  ['sealed', [`{"tidemark":"export","version":1,"keyIds":["${SECRET}"]}`]],
] as const)('whatever is wrong with what is imported: %s', async ([format, files]) => {
  for (const file of files) await ask('POST', `/import?format=${format}`, file)
  await searchAll()
})

it('whatever a line is made of', async () => {
  const part = fc.constantFrom(
    SECRET,
    'alice',
    '1.2.3.4',
    '8080',
    'http',
    '',
    ...Array.from(`:/@,"'{}[]?# \t`),
    '://',
    '"url"',
    '\\',
  )
  const line = fc.array(part, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(''))
  const format = fc.constantFrom('txt', 'csv', 'json', 'jsonl', 'sealed')
  await fc.assert(
    fc.asyncProperty(format, fc.array(line, { maxLength: 4 }), async (format_, lines) => {
      const report = await ask('POST', `/import?format=${format_}`, lines.join('\n'))
      expect(report.toLowerCase()).not.toContain(SECRET)
    }),
    { numRuns: 400 },
  )
})

describe('what comes from elsewhere', () => {
  it('an error that a client reports', async () => {
    await ask('POST', '/proxies', JSON.stringify({ url: `http://alice:${SECRET}@1.2.3.4:8080` }))
    const path = `/proxies/${proxyKey('http://1.2.3.4:8080')}/failure`
    for (const error of [`connect to http://alice:${SECRET}@1.2.3.4:8080 failed`, `407 for alice and ${SECRET}`])
      await ask('POST', path, JSON.stringify({ error }))
    const basic = Buffer.from(`alice:${SECRET}`).toString('base64')
    await searchAll()
    for (const text of said) expect(text).not.toContain(basic)
  })

  it('a path that is no route', async () => {
    await ask('DELETE', `/proxies/http://alice:${SECRET}@1.2.3.4:8080`)
    await ask('GET', `/proxies/${SECRET}`)
    await ask('GET', `/proxies?after=${SECRET}`)
    await ask('GET', `/proxies/next?strategy=${SECRET}`)
    await searchAll()
  })

  it('rows of the older program', async () => {
    const folder = join(dataDir, '..', `${dataDir.split('/').at(-1)}-shards`)
    mkdirSync(folder)
    const row = (more: object): string =>
      JSON.stringify({
        proxy_url: 'http://1.2.3.4:1',
        fetch_time: '2026-01-01T00:00:00Z',
        expires_at: '2099-01-01T00:00:00Z',
        ...more,
      })
    const rows = [
      ...ADDRESSES.map((url) => row({ proxy_url: url })),
      ...['fetch_time', 'expires_at', 'health_status', 'last_accessed', 'ttl_seconds', 'access_count'].map((name) =>
        row({ [name]: SECRET }),
      ),
      row({ password_encrypted: 'ab' }),
      row({ last_health_error: `http://alice:${SECRET}@1.2.3.4:1 refused`, total_health_checks: 1 }),
      `${row({ password: SECRET })}x`,
    ]
    writeFileSync(join(folder, 'shard_00.jsonl'), rows.join('\n'))
    const decrypt = (): string => {
      throw new Error(`The password is ${SECRET}, and not hex.`)
    }
    for (const dryRun of [true, false])
      said.push(
        inspect(await migrateShards(service.pool, folder, { dryRun, decrypt }), { depth: 9, maxArrayLength: 999 }),
      )
    rmSync(folder, { recursive: true })
    await searchAll()
  })
})
