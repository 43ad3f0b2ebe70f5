import { describe, expect, it } from 'vitest'
import { isTidemarkError, memory, sqlite, ttl, type View } from 'tidemark'
import { cacheHeaders, cacheStatus, isNotModified, respond, wantsRefresh, type AnyReading } from 'tidemark/http'
import { FakeClock } from 'tidemark/testing'
import { settled, subject } from '../contract/stacks.ts'
import { hub, type Sections } from '../view/hub.ts'

const request = (headers: Record<string, string> = {}, method = 'GET', path = '/summary'): Request =>
  new Request(`http://hub.example${path}`, { headers, method })

/** A resource, a collection and their source. */
function open() {
  const { tide, clock } = subject({ tiers: [memory(), sqlite({ path: ':memory:' })], clock: new FakeClock() })
  const source = { down: false, count: 2 }
  const units = tide.resource({
    name: 'units',
    load: async (unit: string) => {
      if (source.down) throw new Error('down')
      return { unit }
    },
    freshness: ttl('10s'),
    staleWhileRevalidate: '10s',
    staleIfError: '1h',
  })
  const events = tide.collection({
    name: 'events',
    probe: (_unit: string) => ({ count: source.count }),
    load: (_unit, { from, to }) => Array.from({ length: to - from }, (_, i) => from + i),
  })
  return { clock, source, units, events }
}

describe('cacheStatus', () => {
  it('of a resource: a hit, a load, a refresh, a stale answer, a source that is down', async () => {
    const { clock, source, units } = open()
    expect(cacheStatus(await units.read('a'))).toBe('tidemark; fwd=miss; stored')
    expect(cacheStatus(await units.read('a'))).toBe('tidemark; hit; detail=memory')
    const refreshed = await units.read('a', { refresh: true })
    expect(cacheStatus(refreshed, { isForced: true })).toBe('tidemark; fwd=request; stored')
    await clock.advance('10s')
    source.down = true
    expect(cacheStatus(await units.read('a'))).toBe('tidemark; hit; detail=revalidating')
    await settled()
    await clock.advance('20s')
    const stale = await units.read('a')
    expect(cacheStatus(stale)).toBe('tidemark; fwd=stale; detail=source-unavailable')
    expect(cacheHeaders(request(), stale)).toEqual({
      'Cache-Status': 'tidemark; fwd=stale; detail=source-unavailable',
      Age: '30',
    })
  })

  it('of a collection: found good, grown, one item', async () => {
    const { source, events } = open()
    expect(cacheStatus(await events.read('a'))).toBe('tidemark; fwd=miss; stored')
    expect(cacheStatus(await events.read('a'))).toBe('tidemark; fwd=stale; fwd-status=304')
    source.count = 3
    expect(cacheStatus(await events.read('a'))).toBe('tidemark; fwd=miss; stored')
    expect(cacheStatus(await events.readAt('a', 1))).toBe('tidemark; hit; detail=memory')
  })

  it('of a view: its four outcomes, and revisions nobody can tell', async () => {
    const { view, source, clock } = hub({ maxStale: '1h' })
    expect(cacheStatus(await view.read())).toBe('tidemark; fwd=miss; stored')
    expect(cacheStatus(await view.read())).toBe('tidemark; hit')
    source.progress = 1
    expect(cacheStatus(await view.read())).toBe('tidemark; fwd=partial; stored; detail=progress')
    const refreshed = await view.read({ refresh: true })
    expect(cacheStatus(refreshed, { isForced: true })).toBe('tidemark; fwd=request; stored')
    source.core = 1
    await clock.advance('90s')
    const stale = await view.read()
    expect(cacheHeaders(request(), stale)).toEqual({
      'Cache-Status': 'tidemark; hit; ttl=-90; detail=revalidating',
      Age: '90',
      ETag: stale.etag,
    })
    await settled()
    source.failing.revisions = new Error('down')
    const unknown = await view.read()
    expect(cacheStatus(unknown)).toBe('tidemark; fwd=stale; ttl=-0; detail=source-unavailable')
    expect(cacheHeaders(request(), unknown)['ETag']).toBe(unknown.etag)
  })

  it('an age nobody knows is the largest there is', async () => {
    const { view, source } = hub()
    await view.read()
    source.core = 1
    const stale = { ...(await view.read()), staleFor: Number.POSITIVE_INFINITY }
    expect(cacheHeaders(request(), stale)).toMatchObject({
      'Cache-Status': 'tidemark; hit; ttl=-2147483648; detail=revalidating',
      Age: '2147483648',
    })
  })

  it('of a collection that has grown, the body and its tag are new', async () => {
    const { source, events } = open()
    const answer = async () => respond(request(), await events.read('a'))
    const first = await answer()
    source.count = 3
    const second = await answer()
    expect([await first.json(), await second.json()]).toEqual([
      [0, 1],
      [0, 1, 2],
    ])
    expect(second.headers.get('etag')).not.toBe(first.headers.get('etag'))
  })

  it('writes names as structured headers want them', async () => {
    const { units } = open()
    const reading = await units.read('a')
    const named = (cache: string): string => cacheStatus(reading, { cache }).split(';')[0] as string
    expect(named('hub.example')).toBe('hub.example')
    expect(named('my hub')).toBe('"my hub"')
    expect(named('a"b\\c\r\nX: 1é')).toBe('"a\\"b\\\\c??X: 1?"')
    expect(named('1st')).toBe('"1st"')
    const elsewhere = { ...reading, tier: 'redis' } as AnyReading
    expect(cacheStatus(elsewhere)).toBe('tidemark; fwd=miss; collapsed; detail=redis')
  })
})

describe('wantsRefresh', () => {
  it.for<[boolean, Record<string, string>, string]>([
    [false, {}, '/summary'],
    [true, {}, '/summary?refresh=true'],
    [false, {}, '/summary?refresh=false'],
    [true, { 'cache-control': 'no-cache' }, '/summary'],
    [true, { 'cache-control': 'max-age=0, No-Cache' }, '/summary'],
    [false, { 'cache-control': 'max-age=0' }, '/summary'],
    [false, { 'cache-control': 'no-cache-please' }, '/summary'],
    [true, { pragma: 'no-cache' }, '/summary'],
    [false, { pragma: 'no-cache', 'cache-control': 'max-age=5' }, '/summary'],
  ])('%o for %o %s', ([expected, headers, path]) => {
    expect(wantsRefresh(request(headers, 'GET', path))).toBe(expected)
  })

  it.for([
    [true, '/a?refresh=true'],
    [true, '/a?b=1&refresh=true#c'],
    [false, '/a#?refresh=true'],
    [true, '/a?b=?&refresh=true'],
    [false, '//'],
    [true, '//?refresh=true'],
  ] as const)('%o for a url that is only a path, or none: %s', ([expected, url]) => {
    expect(wantsRefresh({ method: 'GET', url, headers: new Headers() })).toBe(expected)
  })
})

describe('isNotModified', () => {
  it.for<[boolean, string, string]>([
    [true, '"a"', '"a"'],
    [true, 'W/"a"', '"a"'],
    [true, '"a"', 'W/"a"'],
    [true, '"x", W/"a" ,"y"', 'W/"a"'],
    [true, '*', '"a"'],
    [false, '"b"', '"a"'],
    [false, 'a', '"a"'],
    [false, '', '"a"'],
  ])('%o for If-None-Match: %s against %s', ([expected, asked, etag]) => {
    expect(isNotModified(request({ 'if-none-match': asked }), etag)).toBe(expected)
    expect(isNotModified(request({ 'if-none-match': asked }, 'HEAD'), etag)).toBe(expected)
    expect(isNotModified(request({ 'if-none-match': asked }, 'POST'), etag)).toBe(false)
  })
})

describe('respond', () => {
  const answerOf = async (view: View<Sections>, headers = {}, method = 'GET') =>
    respond(request(headers, method), await view.read(), {
      maxAge: '15s',
      staleWhileRevalidate: '2m',
      visibility: 'private',
    })

  it('is the value with its headers; then 304, until it changes', async () => {
    const { view, source } = hub()
    const first = await answerOf(view)
    expect(first.status).toBe(200)
    expect(await first.json()).toEqual({ core: { n: 0 }, progress: [0] })
    const etag = first.headers.get('etag') as string
    expect(Object.fromEntries(first.headers)).toEqual({
      'content-type': 'application/json',
      'cache-status': 'tidemark; fwd=miss; stored',
      'cache-control': 'private, max-age=15, stale-while-revalidate=120',
      age: '0',
      etag,
    })
    const second = await answerOf(view, { 'if-none-match': etag })
    expect(second.status).toBe(304)
    expect(await second.text()).toBe('')
    expect(Object.fromEntries(second.headers)).toMatchObject({ etag, 'cache-status': 'tidemark; hit', age: '0' })
    source.progress = 1
    const third = await answerOf(view, { 'if-none-match': etag })
    expect(third.status).toBe(200)
    expect(third.headers.get('etag')).not.toBe(etag)
  })

  it('is not 304 for what a revision did not see: another body has another tag', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    let title = 'before'
    const view = tide.view({ name: 'v', sections: { a: { revision: () => 'same', build: () => title } } })
    const etag = respond(request(), await view.read()).headers.get('etag') as string
    const asks = request({ 'if-none-match': etag, 'cache-control': 'no-cache' })
    expect(respond(asks, await view.read({ refresh: wantsRefresh(asks) })).status).toBe(304)
    title = 'after'
    const answer = respond(asks, await view.read({ refresh: wantsRefresh(asks) }))
    expect([answer.status, await answer.json()]).toEqual([200, { a: 'after' }])
    expect(respond(asks, await view.read()).status).toBe(200)
  })

  it('a body of the caller’s own has a tag of its own content, of a view too: another template, another tag', async () => {
    const { view } = hub()
    const answer = async (body: string, headers = {}) => respond(request(headers), await view.read(), { body })
    const etag = (await answer('<p>0</p>')).headers.get('etag') as string
    expect((await answer('<p>0</p>', { 'if-none-match': etag })).status).toBe(304)
    expect((await answer('<b>0</b>', { 'if-none-match': etag })).status).toBe(200)
  })

  it('headers of the caller’s own win, however they are written', async () => {
    const { view } = hub()
    const headers = { etag: '"mine"', 'content-type': 'text/plain', 'cache-control': 'no-store', AGE: '7' }
    const answer = respond(request(), await view.read(), { maxAge: '1s', headers })
    expect(Object.fromEntries(answer.headers)).toEqual({
      etag: '"mine"',
      'content-type': 'text/plain',
      'cache-control': 'no-store',
      age: '7',
      'cache-status': 'tidemark; fwd=miss; stored',
    })
    expect(respond(request({ 'if-none-match': '"mine"' }), await view.read(), { headers }).status).toBe(304)
    expect(cacheHeaders(request(), await view.read(), { maxAge: '1s', headers })).toEqual({
      'Cache-Status': 'tidemark; hit',
      ...headers,
    })
  })

  it('of a resource has a tag of its content: loaded again and the same, it is not modified', async () => {
    const { units } = open()
    const first = respond(request(), await units.read('a'))
    const etag = first.headers.get('etag') as string
    expect(etag).toMatch(/^"[\w-]{22}"$/)
    expect(respond(request({ 'if-none-match': etag }), await units.read('a', { refresh: true })).status).toBe(304)
    expect(respond(request({ 'if-none-match': etag }), await units.read('b')).status).toBe(200)
  })

  it('makes the body of a shared value once', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    let made = 0
    const value = { toJSON: () => ({ made: ++made }) }
    const view = tide.view({ name: 'v', sections: { a: { revision: () => 1, build: () => 1 } }, combine: () => value })
    for (let i = 0; i < 3; i++) expect(await respond(request(), await view.read()).json()).toEqual({ made: 1 })
  })

  it('HEAD has the headers and no body; a body of the caller’s own is sent as it is', async () => {
    const { view } = hub()
    const head = await answerOf(view, {}, 'HEAD')
    expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', expect.any(String)])
    const own = respond(request(), await view.read(), { body: '<p>0</p>', headers: { 'Content-Type': 'text/html' } })
    expect([await own.text(), own.headers.get('content-type')]).toEqual(['<p>0</p>', 'text/html'])
    const { units } = open()
    const reading = await units.read('a')
    const tagOf = (body: string) => respond(request(), reading, { body }).headers.get('etag')
    expect(tagOf('x')).not.toBe(tagOf('y'))
    const bytes = respond(request(), reading, { body: new Uint8Array([1, 2, 3]) })
    expect(new Uint8Array(await bytes.arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]))
  })

  it('marks an answer that was forced', async () => {
    const { view } = hub()
    const forced = request({ 'cache-control': 'no-cache' })
    const answer = respond(forced, await view.read({ refresh: wantsRefresh(forced) }))
    expect(answer.headers.get('cache-status')).toBe('tidemark; fwd=request; stored')
  })

  it.for([null, 0, '', false, 'text'])('answers with %o', async (value) => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const values = tide.resource({ name: 'values', load: (_key: string) => value, freshness: ttl('1m') })
    expect(await respond(request(), await values.read('a')).json()).toEqual(value)
  })

  it('refuses what it does not take', async () => {
    const { units } = open()
    const reading = await units.read('a')
    const refusalOf = (options: object): unknown => {
      try {
        respond(request(), reading, options)
      } catch (error) {
        return error
      }
      return undefined
    }
    expect(isTidemarkError(refusalOf({ ttl: 1 }), 'unknown-option')).toBe(true)
    expect(isTidemarkError(refusalOf({ maxAge: 'soon' }), 'invalid-duration')).toBe(true)
    expect(isTidemarkError(refusalOf({ visibility: 'mine' }), 'invalid-option')).toBe(true)
    expect(respond(request(), reading, { maxAge: Infinity }).headers.get('cache-control')).toBe('max-age=2147483648')
  })
})
