import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decodeEventFile } from '../../src/event-file/file.ts'
import { parseEventFileName } from '../../src/event-file/name.ts'
import { openRig, read, type Answer, type Rig } from './open.ts'

let rig: Rig
let root: string
const errors: unknown[] = []

/** Indexes of the waveforms that were recorded for the test. */
let recorded: number[]

beforeEach(async () => {
  errors.length = 0
  rig = await openRig({ units: 2, events: 3 }, { withFiles: true, onError: (error) => errors.push(error) })
  root = rig.eventFiles
  recorded = []
  for (let i = 0; i < 3; i++) recorded.push((await rig.simulator.record(0, 'waveform')).index)
})

afterEach(() => rig[Symbol.asyncDispose]())

interface Line {
  readonly serial: string
  readonly filename: string
  readonly time: string
  readonly sha256: string
  readonly size: number
  readonly review: object
}

const url = (path: string): URL => new URL(path, 'http://127.0.0.1:8200')
const raw = async (path: string, init?: RequestInit): Promise<Response> =>
  rig.gateway.fetch(new Request(url(path), init))
const send = async (path: string, init?: RequestInit): Promise<Answer> => read(await raw(path, init))
const files = async (query = ''): Promise<readonly Line[]> =>
  (await send(`/event-files${query}`)).body['files'] as Line[]
const download = (index: number): ReturnType<Rig['ask']> => rig.ask(0, 'GET', `/device/event/${index}/waveform`)
/** Where the file of an event is. */
async function redirect(path: string): Promise<string> {
  const { host, port } = rig.simulator.units[0]
  const response = await raw(`${path}?host=${host}&tcp_port=${port}`)
  expect(response.status).toBe(303)
  return response.headers.get('location') ?? ''
}
const onDisk = (): string[] =>
  readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /^\w+\/[^.]+\.\w+$/.test(name))

async function one(): Promise<Line & { readonly path: string }> {
  await download(recorded[0] ?? 0)
  const [file] = await files()
  if (!file) throw new Error('There is no file.')
  return { ...file, path: `/event-files/${file.serial}/${file.filename}` }
}

describe('a waveform that is downloaded', () => {
  it('is kept as a file once, under the serial of its unit and the time of the event', async () => {
    const { body } = await download(recorded[0] ?? 0)
    await download(recorded[0] ?? 0)
    await rig.ask(0, 'GET', `/device/event/${recorded[0]}/waveform?force=true`)
    const [file, ...more] = await files()
    expect(more).toEqual([])
    const { serial } = rig.simulator.units[0]
    expect(file?.serial).toBe(serial)
    expect(parseEventFileName(file?.filename ?? '')).toEqual({ serial, time: body['timestamp'], kind: 'waveform' })
    expect(onDisk()).toEqual([`${serial}/${file?.filename}`])
    expect(errors).toEqual([])
  })

  it('holds the very counts that came over the line', async () => {
    const { path } = await one()
    const { counts } = (await rig.gateway.cache.getWaveform(rig.units[0] ?? '', recorded[0] ?? 0)) as { counts: object }
    const { samples } = decodeEventFile(new Uint8Array(await (await raw(path)).arrayBuffer()))
    expect(samples).toEqual(counts)
  })

  it('a histogram has no file', async () => {
    await rig.simulator.record(0, 'histogram')
    const index = (await rig.ask(0, 'GET', '/device/events')).body['count'] as number
    await download(index - 1)
    expect(await files()).toEqual([])
    const { status, body } = await rig.ask(0, 'GET', `/device/event/${index - 1}/file`)
    expect([status, body.error?.code]).toEqual([404, 'no-event-file'])
  })

  it('its file can be asked for by the event; one that was downloaded before there were files is made then', async () => {
    const path = `/device/event/${recorded[1]}/file`
    const first = await redirect(path)
    expect(first).toMatch(/^\/event-files\/BE\d+\/[B-Z]\d{3}\w{4}\.\w{2}0W$/)
    expect((await raw(first)).status).toBe(200)
    expect(await redirect(path)).toBe(first)
    expect((await rig.simulator.counters(0)).conversations.waveform).toBe(1)
    rmSync(join(root, first.split('/')[2] ?? ''), { recursive: true })
    expect(await redirect(path)).toBe(first)
    expect((await raw(first)).status).toBe(200)
    expect((await rig.simulator.counters(0)).conversations.waveform).toBe(1)
  })

  it('stays when the cache is cleared, when its unit is erased or out of reach, and when the database is gone', async () => {
    await rig.ask(0, 'GET', '/device/events')
    const { path, sha256 } = await one()
    await rig.ask(0, 'DELETE', '/cache/device')
    await rig.ask(0, 'POST', '/device/events/erase')
    await rig.simulator.kill()
    await rig.reopen({ forget: true })
    const response = await raw(path)
    const bytes = Buffer.from(await response.arrayBuffer())
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256)
    expect((await files()).map((it) => it.sha256)).toEqual([sha256])
  })

  it('is filed under the unit that is there now, not under the one that was', async () => {
    await rig.ask(0, 'GET', '/device/info')
    await rig.ask(0, 'GET', '/device/events')
    await download(recorded[0] ?? 0)
    const serial = await rig.simulator.swap(0)
    const { index } = await rig.simulator.record(0, 'waveform')
    // Nobody has asked for its events or its serial since.
    await download(index)
    const both = await files()
    expect(both.map((it) => it.serial).toSorted()).toEqual([rig.simulator.units[0].serial, serial].toSorted())
  })

  it('asks for the serial once, not for every file', async () => {
    await rig.ask(0, 'GET', '/device/events')
    for (const index of recorded) await download(index)
    expect(await files()).toHaveLength(3)
    expect((await rig.simulator.counters(0)).conversations.info).toBe(1)
  })

  it('a file that cannot be kept is told, and is no reason to keep the recording back', async () => {
    const { serial } = rig.simulator.units[0]
    writeFileSync(join(root, serial), 'in the way')
    const { status, body } = await download(recorded[0] ?? 0)
    expect([status, typeof body['channels']]).toEqual([200, 'object'])
    expect(errors).toMatchObject([{ code: 'artifact-unsafe' }])
  })
})

describe('download', () => {
  let file: Awaited<ReturnType<typeof one>>
  let bytes: Buffer

  beforeEach(async () => {
    file = await one()
    bytes = readFileSync(join(root, file.serial, file.filename))
  })

  const get = async (
    headers: Record<string, string>,
    method = 'GET',
  ): Promise<{ response: Response; body: Buffer }> => {
    const response = await raw(file.path, { headers, method })
    return { response, body: Buffer.from(await response.arrayBuffer()) }
  }

  it('gives the bytes, and what tells them apart', async () => {
    const { response, body } = await get({})
    expect(body.equals(bytes)).toBe(true)
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      etag: `"${file.sha256}"`,
      'content-type': 'application/octet-stream',
      'content-length': String(bytes.byteLength),
      'content-disposition': `attachment; filename="${file.filename}"`,
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-cache',
      'repr-digest': `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`,
    })
    expect(Date.parse(response.headers.get('last-modified') ?? '')).toBeGreaterThan(0)
  })

  it('HEAD is the same without them', async () => {
    const { response, body } = await get({}, 'HEAD')
    expect([response.status, body.byteLength, response.headers.get('content-length')]).toEqual([
      200,
      0,
      String(bytes.byteLength),
    ])
    expect(response.headers.get('etag')).toBe(`"${file.sha256}"`)
  })

  it.for([
    ['bytes=0-0', 0, 1],
    ['bytes=22-42', 22, 43],
    ['Bytes=22-42', 22, 43],
    ['bytes=100-', 100, undefined],
    ['bytes=-26', -26, undefined],
    ['bytes=0-999999999', 0, undefined],
    ['bytes=-999999999', 0, undefined],
  ] as const)('Range: %s', async ([range, start, end]) => {
    const { response, body } = await get({ range })
    const part = bytes.subarray(start, end)
    const from = start < 0 ? bytes.byteLength + start : start
    expect([response.status, response.headers.get('content-range'), response.headers.get('content-length')]).toEqual([
      206,
      `bytes ${from}-${from + part.byteLength - 1}/${bytes.byteLength}`,
      String(part.byteLength),
    ])
    expect(body.equals(part)).toBe(true)
  })

  it.for(['bytes=0-9', 'bytes=999999999-', 'bytes=-0'])('Range: %s is of no meaning to HEAD', async (range) => {
    const { response, body } = await get({ range }, 'HEAD')
    expect([response.status, response.headers.get('content-range'), response.headers.get('content-length')]).toEqual([
      200,
      null,
      String(bytes.byteLength),
    ])
    expect(body.byteLength).toBe(0)
  })

  it.for(['bytes=5-2', 'bytes=', 'bytes=-', 'bytes=a-b', 'items=0-5', 'bytes=0-1,4-5', 'bytes=0-1, 4-5', 'x'])(
    'Range: %s is ignored',
    async (range) => {
      const { response, body } = await get({ range })
      expect([response.status, body.equals(bytes)]).toEqual([200, true])
    },
  )

  it.for(['bytes=999999999-', 'bytes=-0'])('Range: %s is 416 with the size', async (range) => {
    const { response } = await get({ range })
    expect([response.status, response.headers.get('content-range')]).toEqual([416, `bytes */${bytes.byteLength}`])
  })

  it.for([
    ['if-none-match', (tag: string) => tag, 304],
    ['if-none-match', (tag: string) => `"x", W/${tag}`, 304],
    ['if-none-match', () => '*', 304],
    ['if-none-match', () => '"x"', 200],
    ['if-match', (tag: string) => tag, 200],
    ['if-match', () => '*', 200],
    ['if-match', () => '"x"', 412],
    ['if-match', (tag: string) => `W/${tag}`, 412],
    ['if-modified-since', () => new Date(Date.now() + 60_000).toUTCString(), 304],
    ['if-modified-since', () => new Date(0).toUTCString(), 200],
    ['if-modified-since', () => 'not a date', 200],
    ['if-unmodified-since', () => new Date(0).toUTCString(), 412],
    ['if-unmodified-since', () => new Date(Date.now() + 60_000).toUTCString(), 200],
  ] as const)('%s (%#)', async ([name, value, expected]) => {
    for (const method of ['GET', 'HEAD']) {
      const { response, body } = await get({ [name]: value(`"${file.sha256}"`) }, method)
      expect(response.status).toBe(expected)
      if (expected === 304) expect([body.byteLength, response.headers.get('etag')]).toEqual([0, `"${file.sha256}"`])
    }
  })

  it('its recording is not sent to whoever has it already', async () => {
    const path = `${file.path}/waveform`
    const whole = await raw(path)
    const tag = whole.headers.get('etag') ?? ''
    const modified = whole.headers.get('last-modified') ?? ''
    expect([whole.status, tag, whole.headers.get('cache-control')]).toEqual([
      200,
      `"${file.sha256}"`,
      'private, no-cache',
    ])
    const asked = async (headers: Record<string, string>): Promise<readonly [number, number, string | null]> => {
      const response = await raw(path, { headers })
      return [response.status, (await response.arrayBuffer()).byteLength, response.headers.get('etag')]
    }
    for (const value of [tag, `W/${tag}`, `"x", W/${tag} , "y"`, '*'])
      expect(await asked({ 'if-none-match': value })).toEqual([304, 0, tag])
    expect(await asked({ 'if-modified-since': modified })).toEqual([304, 0, tag])
    expect(await asked({ 'if-none-match': '"x"', 'if-modified-since': modified })).toMatchObject([
      200,
      expect.any(Number),
      tag,
    ])
    expect((await asked({ 'if-match': '"x"' }))[0]).toBe(412)
    // A part of it cannot be asked for.
    expect((await asked({ range: 'bytes=0-0' }))[0]).toBe(200)
  })

  it('If-Range: a part only of the same file', async () => {
    const { response: head } = await get({})
    const range = 'bytes=0-9'
    const statusOf = async (ifRange: string): Promise<number> =>
      (await get({ range, 'if-range': ifRange })).response.status
    expect(await statusOf(`"${file.sha256}"`)).toBe(206)
    expect(await statusOf(head.headers.get('last-modified') ?? '')).toBe(206)
    expect(await statusOf('"x"')).toBe(200)
    expect(await statusOf(new Date(0).toUTCString())).toBe(200)
    expect(await statusOf(`W/"${file.sha256}"`)).toBe(200)
  })

  it.for([
    '/event-files/BE11529/M529LKIQ.7M0W',
    '/event-files/BE11529/M529LKIQ.7M0W/metadata',
    '/event-files/BE11529/M529LKIQ.7M0W/waveform',
  ])('%s: there is none', async (path) => {
    const { status, body } = await send(path)
    expect([status, body.error?.code]).toEqual([404, 'no-such-file'])
  })

  it.for([
    '..%2Fseismo.db/x',
    'x/..%2F..%2Fcache.db',
    '.tidemark/index.db',
    'BE1/x.frames',
    'BE1/%00',
    'con/x',
    'BE1/a%5Cb',
  ])('/event-files/%s is refused', async (path) => {
    const { status, body } = await send(`/event-files/${path}`)
    expect([status, body.error?.code]).toEqual([400, 'artifact-name'])
  })

  it('a damaged file is told and not served, until it is made anew', async () => {
    writeFileSync(join(root, file.serial, file.filename), bytes.fill(0, 100, 110))
    const { status, body } = await send(file.path)
    expect([status, body.error?.code]).toEqual([500, 'artifact-damaged'])
    expect(body.error?.hint).toContain('regenerate')
    const { findings } = (await send('/event-files/verify', { method: 'POST' })).body as { findings?: object[] }
    expect(findings).toMatchObject([{ filename: file.filename, problem: 'file-damaged' }])
    const report = await send('/event-files/regenerate', { method: 'POST' })
    expect(report.body).toMatchObject({ dry_run: false, checked: 1, written: [{ filename: file.filename }] })
    const { response, body: again } = await get({})
    expect([response.status, createHash('sha256').update(again).digest('hex')]).toEqual([200, file.sha256])
  })
})

describe('what is known of a file', () => {
  it('the sidecar, in the words of the other answers', async () => {
    await rig.ask(0, 'GET', '/device/events')
    const { path, serial, filename, sha256, size } = await one()
    const { body } = await send(`${path}/metadata`)
    const event = (await rig.ask(0, 'GET', `/device/event/${recorded[0]}`)).body as {
      peaks?: { tran: number; mic_l: number }
      project?: object
    }
    expect(body).toMatchObject({
      serial,
      filename,
      sha256,
      size,
      record_type: 'waveform',
      encoder_version: 1,
      peaks: event.peaks ?? {},
      project: event.project ?? {},
      review: {},
      extensions: {},
      recording: { pretrigger_seconds: 0.25, record_seconds: expect.any(Number) as number },
    })
  })

  it('the project is filled in when it becomes known, and not unlearnt', async () => {
    const { path } = await one()
    const project = async (): Promise<unknown> => (await send(`${path}/metadata`)).body['project']
    expect(await project()).toBeNull()
    await rig.ask(0, 'GET', '/device/events')
    await redirect(`/device/event/${recorded[0]}/file`)
    const known = (await rig.ask(0, 'GET', `/device/event/${recorded[0]}`)).body['project']
    expect(known).toMatchObject({ operator: expect.any(String) as string })
    expect(await project()).toEqual(known)
    await rig.ask(0, 'DELETE', '/cache/device')
    await download(recorded[0] ?? 0)
    expect(await project()).toEqual(known)
    expect(await files()).toHaveLength(1)
  })

  it('the recording itself, read from the file, as the unit’s own answer has it', async () => {
    const { path } = await one()
    const { body } = await send(`${path}/waveform`)
    const { body: own } = await download(recorded[0] ?? 0)
    expect(body['channels']).toEqual(own['channels'])
    expect(body['time']).toEqual(own['time'])
  })

  it('list: by serial and time, a page at a time', async () => {
    for (const index of recorded) await download(index)
    const all = await files()
    expect(all).toHaveLength(3)
    expect(all.map(({ time }) => time)).toEqual(
      all
        .map(({ time }) => time)
        .toSorted()
        .toReversed(),
    )
    expect(await files(`?serial=${rig.simulator.units[1]?.serial}`)).toEqual([])
    expect(await files(`?from=${all[1]?.time}`)).toHaveLength(2)
    expect(await files(`?to=${all[1]?.time}`)).toHaveLength(1)
    const first = (await send('/event-files?limit=2&order=oldest')).body as { files?: Line[]; next?: string }
    const second = (await send(`/event-files?limit=2&order=oldest&after=${first.next}`)).body as typeof first
    expect([...(first.files ?? []), ...(second.files ?? [])].map(({ filename }) => filename)).toEqual(
      all.map(({ filename }) => filename).toReversed(),
    )
    expect(second.next).toBeNull()
  })

  it.for([
    ['limit=0', 'bad-parameter'],
    ['limit=999', 'bad-parameter'],
    ['limit=x', 'bad-parameter'],
    ['order=random', 'invalid-option'],
    ['after=x', 'invalid-option'],
    ['from=yesterday', 'invalid-option'],
    ['serial=..', 'artifact-name'],
  ] as const)('list: %s is 400', async ([query, code]) => {
    const { status, body } = await send(`/event-files?${query}`)
    expect([status, body.error?.code]).toEqual([400, code])
  })
})

describe('review', () => {
  const patch = (path: string, body: unknown): Promise<Answer> =>
    send(`${path}/review`, { method: 'PATCH', body: typeof body === 'string' ? body : JSON.stringify(body) })

  it('is merged, listed, and outlives making the file anew', async () => {
    const { path } = await one()
    expect((await patch(path, { reviewed: true, reviewer: 'M. Müller' })).body['review']).toEqual({
      reviewed: true,
      reviewer: 'M. Müller',
    })
    await patch(path, { false_trigger: true, reviewer: null, note: 'A door.\nTwice.' })
    const review = { reviewed: true, false_trigger: true, note: 'A door.\nTwice.' }
    expect((await files())[0]?.review).toEqual(review)
    await send('/event-files/regenerate', { method: 'POST' })
    await rig.reopen()
    expect((await send(`${path}/metadata`)).body['review']).toEqual(review)
  })

  it.for([
    ['no JSON', '{', 'body'],
    ['a list', '[]', 'body'],
    ['nothing', '{}', 'body'],
    ['an unknown field', { approved: true }, 'approved'],
    ['a field of every object', '{"__proto__":true}', '__proto__'],
    ['a flag that is a text', { reviewed: 'yes' }, 'reviewed'],
    ['a long note', { note: 'x'.repeat(2001) }, 'note'],
    ['a note that steers a terminal', { note: 'x\u001b[2J' }, 'note'],
    ['a reviewer that is a number', { reviewer: 5 }, 'reviewer'],
  ] as const)('%s is 400 naming it, and changes nothing', async ([, body, parameter]) => {
    const { path } = await one()
    const answer = await patch(path, body)
    expect([answer.status, answer.body.error?.code, answer.body.error?.parameter]).toEqual([
      400,
      'bad-parameter',
      parameter,
    ])
    expect((await files())[0]?.review).toEqual({})
  })

  it('of a file that is not there: 404; far too much: 413; from a page of others: 403', async () => {
    expect((await patch('/event-files/BE1/M529LKIQ.7M0W', { reviewed: true })).status).toBe(404)
    const { path } = await one()
    expect((await patch(path, { note: 'x'.repeat(100_000) })).status).toBe(413)
    const headers = { origin: 'http://evil.example.org' }
    const body = JSON.stringify({ reviewed: true })
    expect((await send(`${path}/review`, { method: 'PATCH', headers, body })).status).toBe(403)
    expect((await send('/event-files/regenerate', { method: 'POST', headers })).status).toBe(403)
  })
})

it('regenerate and verify say what does not fit', async () => {
  const post = async (query: string): Promise<Answer> => send(`/event-files/${query}`, { method: 'POST' })
  expect((await post('regenerate?dry_run=yes')).body.error?.parameter).toBe('dry_run')
  expect((await post('regenerate?serial=..')).body.error?.code).toBe('artifact-name')
  expect((await post('regenerate?filename=x')).status).toBe(400)
  expect((await post('verify?serial=..')).status).toBe(400)
  await one()
  expect((await post('regenerate?dry_run=true')).body).toMatchObject({ dry_run: true, checked: 1, unchanged: 1 })
  expect((await post(`verify?serial=${rig.simulator.units[0].serial}`)).body).toEqual({
    checked: 1,
    sound: 1,
    outdated: 0,
    findings: [],
  })
})

it('the page and its parts are served', async () => {
  const page = await (await raw('/files')).text()
  const parts = [...page.matchAll(/(?:src|href)="(\/page[^"]+)"/g)].map((match) => match[1] as string)
  const imported = new Set<string>()
  for (const part of parts.filter((it) => it.endsWith('.js'))) await collect(part)
  expect([...imported].some((it) => it.startsWith('/page/plot'))).toBe(true)
  for (const part of [...parts, ...imported]) expect((await raw(part)).status, part).toBe(200)

  async function collect(path: string): Promise<void> {
    const code = await (await raw(path)).text()
    for (const [, to = ''] of code.matchAll(/^import [^']*'(\.[^']+)'/gm)) {
      const target = new URL(to, url(path)).pathname
      if (imported.has(target)) continue
      imported.add(target)
      await collect(target)
    }
  }
})

it('a gateway without a folder for files has none', async () => {
  await rig.reopen({ withoutFiles: true })
  expect((await send('/event-files')).status).toBe(404)
  expect((await raw('/files')).status).toBe(404)
  expect((await download(recorded[0] ?? 0)).status).toBe(200)
})
