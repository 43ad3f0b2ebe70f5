import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isTidemarkError } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openGateway } from '../../src/gateway.ts'
import { MALFORMATIONS } from '../../src/simulator/start.ts'
import { openRig, read, type Answer, type Rig } from './open.ts'

describe('a unit that fails', () => {
  let clock: FakeClock
  let rig: Rig

  beforeEach(async () => {
    clock = new FakeClock()
    rig = await openRig({ units: 2, events: 5 }, { clock })
  })

  afterEach(() => rig[Symbol.asyncDispose]())

  it('nobody listens there: 503 with a reason; 502 when the line breaks', async () => {
    await rig.simulator.refuse(0)
    const refused = await rig.ask(0, 'GET', '/device/info')
    expect([refused.status, refused.body.error?.code]).toEqual([503, 'unit-refused'])
    expect(refused.body.error?.hint).toContain('address')
    await rig.simulator.misbehave(1, { kind: 'drop' })
    const dropped = await rig.ask(1, 'GET', '/device/info')
    expect([dropped.status, dropped.body.error?.code]).toEqual([502, 'unit-unreachable'])
  })

  it('the last known status and events stand in for it, marked stale with their age; what is permanent is simply there', async () => {
    const { index } = await rig.simulator.record(0, 'waveform')
    for (const path of [
      '/device/info',
      '/device/events',
      '/device/monitor/status',
      `/device/event/${index}/waveform`,
    ]) {
      expect((await rig.ask(0, 'GET', path)).status).toBe(200)
    }
    await rig.simulator.kill()
    await clock.advance('5m')
    const status = await rig.ask(0, 'GET', '/device/monitor/status')
    expect(status.body.cache).toMatchObject({ state: 'stale', reason: 'source-unavailable', age_seconds: 300 })
    expect([status.headers.get('cache-status'), status.headers.get('age')]).toEqual([
      'tidemark; fwd=stale; detail=source-unavailable',
      '300',
    ])
    const events = await rig.ask(0, 'GET', '/device/events')
    expect(events.body).toMatchObject({ count: 6, cache: { state: 'stale', age_seconds: 300 } })
    expect((await rig.ask(0, 'GET', '/device/info')).body.cache?.state).toBe('fresh')
    expect((await rig.ask(0, 'GET', `/device/event/${index}/waveform`)).body.cache?.state).toBe('fresh')
    expect((await rig.ask(0, 'GET', '/device/event/0/waveform')).status).toBe(503)
    expect((await rig.ask(0, 'GET', '/device/info?force=true')).status).toBe(503)
  })

  it.for(MALFORMATIONS)(
    'an answer that is none (%s) is 502, stores nothing, and the next one is heard',
    async (how) => {
      await rig.simulator.misbehave(0, { kind: 'malformed', how })
      const { status, body } = await rig.ask(0, 'GET', '/device/events')
      expect([status, body.error?.code]).toEqual([502, 'unit-protocol'])
      expect(await rig.gateway.cache.getAllEvents(rig.units[0] ?? '')).toBeUndefined()
      await rig.simulator.behave(0)
      expect((await rig.ask(0, 'GET', '/device/events')).body['count']).toBe(5)
    },
  )

  it('an index that it does not have is 404', async () => {
    for (const path of ['/device/event/99', '/device/event/99/waveform']) {
      const { status, body } = await rig.ask(0, 'GET', path)
      expect([status, body.error?.code]).toEqual([404, 'unit-no-such-event'])
    }
  })
})

describe('requests that do not fit', () => {
  const LOCAL = 'http://127.0.0.1:8200'
  let gateway: Awaited<ReturnType<typeof openGateway>>

  beforeEach(async () => {
    gateway = await openGateway({ path: ':memory:', publicHosts: ['gateway.example.org'] })
  })

  afterEach(() => gateway.close())

  const send = async (path: string, init?: RequestInit, origin = LOCAL): Promise<Answer> =>
    read(await gateway.fetch(new Request(`${origin}${path}`, init)))

  it.for([
    ['/device/info', 'host'],
    ['/device/info?host=', 'host'],
    ['/device/info?host=a%20b', 'host'],
    ['/device/info?host=127.0.0.1%0Aevil', 'host'],
    ['/device/info?host=127.0.0.1&port=COM3', 'port'],
    ['/device/info?host=127.0.0.1&tcp_port=0', 'tcp_port'],
    ['/device/info?host=127.0.0.1&tcp_port=70000', 'tcp_port'],
    ['/device/info?host=127.0.0.1&tcp_port=1e3', 'tcp_port'],
    ['/device/info?port=COM3&baud=fast', 'baud'],
    ['/device/info?host=127.0.0.1&force=yes', 'force'],
    ['/device/event/-1?host=127.0.0.1', 'index'],
    ['/device/event/1.5?host=127.0.0.1', 'index'],
    ['/device/event/abc/waveform?host=127.0.0.1', 'index'],
  ] as const)('%s is 400 naming %s', async ([path, parameter]) => {
    const { status, body } = await send(path)
    expect([status, body.error?.code, body.error?.parameter]).toEqual([400, 'bad-parameter', parameter])
    expect(body.error?.message).toContain(`\`${parameter}\``)
  })

  it.for(['10.0.0.7', 'example.org', '169.254.169.254', '[::2]'])('%s may not be dialled', async (host) => {
    const { status, body } = await send(`/device/info?host=${encodeURIComponent(host)}`)
    expect([status, body.error?.code]).toEqual([403, 'host-not-allowed'])
  })

  it.for([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['nothing', '{}'],
    ['an unknown field', '{"proj":"x"}'],
    ['a wrong type', '{"project":5}'],
    ['__proto__', '{"__proto__":{"project":"x"}}'],
  ] as const)('a configuration that is %s is 400', async ([, body]) => {
    const answer = await send('/device/config?host=127.0.0.1', { method: 'POST', body })
    expect([answer.status, answer.body.error?.code]).toEqual([400, 'bad-parameter'])
  })

  it('a name this gateway does not have is refused; its own names and any address are not', async () => {
    expect((await send('/health', {}, 'http://evil.example.org:8200')).body.error?.code).toBe('host-unknown')
    for (const origin of [
      'http://localhost:8200',
      'http://[::1]:8200',
      'http://gateway.example.org',
      'http://10.1.2.3',
    ]) {
      expect((await send('/health', {}, origin)).status).toBe(200)
    }
  })

  it('pages of others may not write; our own pages and programs may', async () => {
    const erase = (headers: Record<string, string>): Promise<Answer> =>
      send('/cache/device?host=127.0.0.1', { method: 'DELETE', headers })
    expect((await erase({ origin: 'http://evil.example.org' })).body.error?.code).toBe('origin-not-allowed')
    expect((await erase({ origin: 'null' })).status).toBe(403)
    expect((await erase({ origin: LOCAL })).status).toBe(200)
    expect((await erase({})).status).toBe(200)
  })

  it('pages of other sites may not make a browser ask a unit; following a link is no such thing', async () => {
    const from = (mode: string): Promise<Answer> =>
      send('/health', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': mode } })
    expect([(await from('no-cors')).status, (await from('navigate')).status]).toEqual([403, 200])
  })

  it('a body has a limit', async () => {
    const body = JSON.stringify({ project: 'x'.repeat(100_000) })
    const { status, body: answer } = await send('/device/config?host=127.0.0.1', { method: 'POST', body })
    expect([status, answer.error?.code]).toEqual([413, 'too-large'])
  })

  it('an unknown route says so', async () => {
    expect(await send('/device/nothing')).toMatchObject({ status: 404, body: { error: { code: 'no-such-route' } } })
  })

  it('health asks no unit', async () => {
    expect((await send('/health')).body).toMatchObject({ status: 'ok', tiers: [{ state: 'up' }, { state: 'up' }] })
  })
})

describe('a path that is no database', () => {
  it('a folder is refused when the gateway opens', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'seismo-'))
    mkdirSync(join(folder, 'cache.db'))
    const error: unknown = await openGateway({ path: join(folder, 'cache.db') }).catch((it: unknown) => it)
    expect(isTidemarkError(error)).toBe(true)
    expect((error as Error).message).toContain('cache.db')
    rmSync(folder, { recursive: true })
  })
})
