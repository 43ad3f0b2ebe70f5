// The routes over a real database, which can be switched off.

import { openDatabase, type Database } from '@tidemark/database'
import { FakeClock } from 'tidemark/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { seed } from '../src/seed/seed.ts'
import { openPlace, type Answer, type Place } from './place.ts'

let database: Database
let clock: FakeClock
let place: Place
let name: string
let id: string

beforeAll(async () => {
  database = await openDatabase({ schema: 'projectstatus' })
  await seed(database)
}, 120_000)
afterAll(() => database.close())

beforeEach(async () => {
  clock = new FakeClock()
  place = await openPlace({ database, clock, isDemo: true })
  const [vendor] = await database.query<{ name: string }>('select name from vendor_extractors order by name')
  const [item] = await database.query<{ id: string }>('select id from work_items where deleted_at is null order by id')
  name = vendor?.name ?? ''
  id = item?.id ?? ''
})
afterEach(() => place[Symbol.asyncDispose]())

const get = (path: string): Promise<Answer> => place.ask('GET', path)
const patch = (path: string, body: unknown): Promise<Answer> => place.ask('PATCH', path, body)
const outage = (kind: string): Promise<Answer> => place.ask('POST', '/demo/outage', { kind })
const vendorPath = (): string => `/vendors/${encodeURIComponent(name)}`

describe('while the database answers', () => {
  it('answers are from PostgreSQL, and say so', async () => {
    const { status, body, headers } = await get(vendorPath())
    expect(status).toBe(200)
    expect(body).toMatchObject({
      vendor: { name, version: 1 },
      data_source: 'postgresql',
      cache_age_seconds: null,
      warnings: [],
    })
    expect(headers.get('cache-status')).toBe('tidemark; fwd=miss; stored')
    expect(headers.get('age')).toBe('0')
    expect(headers.get('cache-control')).toBe('no-cache')
    expect(headers.get('warning')).toBeNull()
    expect((await get(`/work-items/${id}`)).body).toMatchObject({ work_item: { id }, data_source: 'postgresql' })
  })

  it('lists everything: 45 vendors, 1 200 work items, 50 deployments', async () => {
    const { body } = await get('/status')
    expect([body.vendors.length, body.work_items.length, body.deployments.length]).toEqual([45, 1200, 50])
    expect(body).toMatchObject({ data_source: 'postgresql', cache_age_seconds: null, warnings: [] })
    expect(body.sources.vendors.data_source).toBe('postgresql')
    expect((await get('/vendors')).body.vendors).toHaveLength(45)
    const tasks = (await get('/work-items?type=task&status=blocked')).body.work_items
    expect(tasks.length).toBeGreaterThan(0)
    expect(new Set(tasks.map((it: { item_type: string; status: string }) => `${it.item_type} ${it.status}`))).toEqual(
      new Set(['task blocked']),
    )
  })

  it('a client that has the answer is told that it is still good', async () => {
    const first = await get('/status')
    const again = await place.service.fetch(
      new Request('http://127.0.0.1/status', { headers: { 'if-none-match': first.headers.get('etag') ?? '' } }),
    )
    expect(again.status).toBe(304)
  })

  it.for([
    ['/vendors/nobody', 404, 'not-found'],
    ['/work-items/00000000-0000-4000-8000-000000000000', 404, 'not-found'],
    ['/work-items/7', 400, 'bad-parameter'],
    [`/vendors/${'x'.repeat(101)}`, 400, 'bad-parameter'],
    ['/vendors/a%00b', 400, 'bad-parameter'],
    ['/work-items?type=epic', 400, 'bad-parameter'],
    ['/nothing', 404, 'no-such-route'],
  ] as const)('GET %s is %i %s', async ([path, status, code]) => {
    const answer = await get(path)
    expect([answer.status, answer.body.error.code]).toEqual([status, code])
  })
})

describe('while it is away', () => {
  it('what was read is answered from the cache, with its age, and warnings that grow louder', async () => {
    await get(vendorPath())
    await get('/status')
    await outage('refuse')
    await clock.jump('5m')
    const { status, body, headers } = await get(vendorPath())
    expect(status).toBe(200)
    expect(body).toMatchObject({
      vendor: { name },
      data_source: 'cache',
      cache_age_seconds: 300,
      warnings: ['using_fallback_cache', 'database_unavailable'],
    })
    expect(headers.get('cache-status')).toBe('tidemark; fwd=stale; detail=source-unavailable')
    expect(headers.get('age')).toBe('300')
    await clock.jump('10m')
    expect((await get(vendorPath())).body.warnings).toContain('cache_stale')
    expect((await get(vendorPath())).body.warnings).not.toContain('cache_last_resort')
    await clock.jump('15m')
    const all = await get('/status')
    expect(all.body.warnings).toEqual([
      'using_fallback_cache',
      'cache_stale',
      'cache_last_resort',
      'database_unavailable',
    ])
    expect(all.body.work_items).toHaveLength(1200)
    expect(all.headers.get('age')).toBe('1800')
  })

  it('a row of a list that was read can be asked for by itself', async () => {
    await get('/status')
    await expect.poll(async () => (await place.service.cache.getStats()).totalEntries, { timeout: 20_000 }).toBe(1245)
    await outage('refuse')
    expect((await get(`/work-items/${id}`)).body).toMatchObject({ work_item: { id }, data_source: 'cache' })
    expect((await get(vendorPath().toUpperCase().replace('/VENDORS', '/vendors'))).body.vendor.name).toBe(name)
  })

  it('what was never read is 503, with the failure and when to come back', async () => {
    await outage('refuse')
    for (let i = 0; i < 4; i++) {
      const { status, body } = await get(vendorPath())
      expect(status).toBe(503)
      expect(body.error).toMatchObject({ code: 'database-unavailable' })
      expect(body.error.message).toContain('ECONNREFUSED')
    }
    expect((await get('/work-items')).headers.get('retry-after')).toMatch(/^\d+$/)
  })

  it('after a restart during the outage the file answers', async () => {
    await get('/status')
    await get(vendorPath())
    await outage('refuse')
    // The switch is new after the restart.
    await place.reopen()
    await outage('refuse')
    expect((await get(vendorPath())).body).toMatchObject({ vendor: { name }, data_source: 'cache' })
    expect((await get('/status')).body.work_items).toHaveLength(1200)
  })

  it('writes are refused, never queued', async () => {
    await get(vendorPath())
    await outage('refuse')
    for (let i = 0; i < 4; i++) {
      const { status, body } = await patch(vendorPath(), { expected_version: 1, status: 'broken' })
      expect([status, body.error.code]).toEqual([503, 'database-unavailable'])
      expect(body.error.message).toContain('nothing is queued')
    }
    await outage('none')
    await clock.advance('10s')
    await expect.poll(() => place.service.cache.source.state).toBe('up')
    expect((await get(vendorPath())).body).toMatchObject({ vendor: { status: 'operational', version: 1 } })
  })

  it('a write that was under way is said to be uncertain', async () => {
    await outage('hang')
    const writing = patch(vendorPath(), { expected_version: 1, status: 'broken' })
    await new Promise((resolve) => setTimeout(resolve, 20))
    await outage('none')
    const { status, body } = await writing
    expect([status, body.error.code]).toEqual([503, 'write-uncertain'])
  })

  it('health tells what is wrong, and what there is to stand in', async () => {
    await get('/status')
    expect((await get('/health')).body).toMatchObject({ status: 'ok', database: { state: 'up', asked: true } })
    await expect.poll(async () => (await get('/health')).body.cache.entries, { timeout: 20_000 }).toBe(1245)
    await outage('reset')
    for (let i = 0; i < 3; i++) await get(vendorPath())
    const { status, body } = await get('/health')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      status: 'degraded',
      database: { state: 'down', asked: false, error: expect.stringContaining('ECONNRESET') },
      cache: { vendors: 45, work_items: 1200 },
    })
    expect(Date.parse(body.database.next_probe_at)).toBeGreaterThan(0)
  })
})

describe('changes', () => {
  it('with the version that was read; the cache has the whole row at once', async () => {
    const { body: before } = await get(`/work-items/${id}`)
    const version = before.work_item.version as number
    const { status, body } = await patch(`/work-items/${id}`, { expected_version: version, notes: 'changed' })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      work_item: { ...before.work_item, notes: 'changed', version: version + 1, updated_at: expect.any(String) },
    })
    await outage('refuse')
    expect((await get(`/work-items/${id}`)).body.work_item).toEqual(body.work_item)
  })

  it('a list from the cache has what is known better of its rows', async () => {
    await get('/status')
    const { body } = await get(`/work-items/${id}`)
    await patch(`/work-items/${id}`, { expected_version: body.work_item.version, title: 'Known better' })
    await outage('refuse')
    const items = (await get('/work-items')).body.work_items as { id: string; title: string }[]
    expect(items.find((it) => it.id === id)?.title).toBe('Known better')
    expect(items).toHaveLength(1200)
  })

  it('another version is 409 with both', async () => {
    const { body } = await get(vendorPath())
    const current = body.vendor.version as number
    const answer = await patch(vendorPath(), { expected_version: current + 1, status: 'broken' })
    expect(answer.status).toBe(409)
    expect(answer.body).toMatchObject({
      error: { code: 'version-conflict' },
      current_version: current,
      expected_version: current + 1,
    })
  })

  it('of two that expect the same version one is made', async () => {
    const version = (await get(vendorPath())).body.vendor.version as number
    const change = { expected_version: version, extractor_version: '9.9.9' }
    const answers = await Promise.all([patch(vendorPath(), change), patch(vendorPath(), change)])
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409])
  })

  it.for([
    ['{', 'body'],
    [{}, 'expected_version'],
    [{ expected_version: 0, status: 'broken' }, 'expected_version'],
    [{ expected_version: 1 }, 'body'],
    [{ expected_version: 1, status: 'odd' }, 'status'],
    [{ expected_version: 1, name: 'x' }, 'name'],
    [{ expected_version: 1, 'status = 1; --': 'x' }, 'status = 1; --'],
    [{ expected_version: 1, metadata: [] }, 'metadata'],
    [{ expected_version: 2 ** 31, status: 'broken' }, 'expected_version'],
    [{ expected_version: 1e300, status: 'broken' }, 'expected_version'],
    [{ expected_version: 1, extractor_version: 'a\ud800' }, 'extractor_version'],
    [{ expected_version: 1, metadata: { a: ['\0'] } }, 'metadata'],
    [{ expected_version: 1, metadata: { a: '\udc00' } }, 'metadata'],
    [{ expected_version: 1, metadata: { '\ud800': 1 } }, 'metadata'],
    ['{"expected_version": 1, "metadata": {"a": [1, 1e999]}}', 'metadata'],
  ] as const)('%j is refused', async ([body, parameter]) => {
    const answer = await patch(vendorPath(), body)
    expect(answer.status).toBe(400)
    expect(answer.body.error.message).toContain(`\`${parameter}\``)
  })

  it.for([
    ['/vendors/a%00b', { expected_version: 1, status: 'broken' }],
    [`/vendors/${'x'.repeat(101)}`, { expected_version: 1, status: 'broken' }],
    ['/work-items/xyz', { expected_version: 1, notes: null }],
  ] as const)('PATCH %s is 400, as GET is', async ([path, body]) => {
    const [changed, read] = [await patch(path, body), await get(path)]
    expect([changed.status, changed.body.error]).toEqual([400, read.body.error])
  })

  it('metadata that is too deep is refused as that', async () => {
    const deep = `${'['.repeat(6_500)}${']'.repeat(6_500)}`
    const { status, body } = await patch(vendorPath(), `{"expected_version": 1, "metadata": {"a": ${deep}}}`)
    expect([status, body.error.message]).toEqual([400, expect.stringMatching(/`metadata`.*at most 100 levels deep/)])
  })

  it('metadata as deep as it may be, with every character, is kept as it is', async () => {
    let metadata: unknown = { 'a "b" \u0001 😀': [-1.5, 1e300, '\u2028', null, true] }
    for (let i = 0; i < 98; i++) metadata = { below: metadata }
    const version = (await get(vendorPath())).body.vendor.version as number
    const { status, body } = await patch(vendorPath(), { expected_version: version, metadata })
    expect(status).toBe(200)
    expect(body.vendor.metadata).toEqual(metadata)
  })

  it('what a constraint of the database refuses is 400, and does not count as an outage', async () => {
    await database.query('alter table work_items add constraint short check (length(title) < 100) not valid')
    try {
      const { version } = (await get(`/work-items/${id}`)).body.work_item as { version: number }
      const answer = await patch(`/work-items/${id}`, { expected_version: version, title: 'x'.repeat(150) })
      expect([answer.status, answer.body.error.code]).toEqual([400, 'bad-value'])
      expect(answer.body.error.message).toContain('short')
      expect(place.service.cache.source).toMatchObject({ state: 'up', failures: 0 })
    } finally {
      await database.query('alter table work_items drop constraint short')
    }
  })

  it('of what is not there are 404', async () => {
    const change = { expected_version: 1, notes: null }
    expect((await patch('/vendors/nobody', { expected_version: 1, status: 'broken' })).status).toBe(404)
    expect((await patch('/work-items/00000000-0000-4000-8000-000000000000', change)).status).toBe(404)
  })

  it('what the database refuses is not answered from the cache, and does not count as an outage', async () => {
    await get(`/work-items/${id}`)
    await database.query('alter table work_items add constraint short check (length(title) < 100) not valid')
    try {
      await expect(
        place.service.cache.write(() =>
          database.query('update work_items set title = $1 where id = $2', ['x'.repeat(150), id]),
        ),
      ).rejects.toMatchObject({ code: '23514' })
      expect(place.service.cache.source).toMatchObject({ state: 'up', failures: 0 })
    } finally {
      await database.query('alter table work_items drop constraint short')
    }
  })
})

describe('doors', () => {
  it('pages of other sites are kept out', async () => {
    const request = new Request('http://127.0.0.1/vendors/a', {
      method: 'PATCH',
      headers: { origin: 'https://elsewhere.example' },
      body: '{}',
    })
    expect((await place.service.fetch(request)).status).toBe(403)
    expect((await place.service.fetch(new Request('http://elsewhere.example/status'))).status).toBe(403)
  })

  it('without the demonstration there is no switch', async () => {
    await using plain = await openPlace({ database })
    expect((await plain.ask('POST', '/demo/outage', { kind: 'refuse' })).status).toBe(404)
    expect((await place.ask('POST', '/demo/outage', { kind: 'flood' })).status).toBe(400)
  })
})
