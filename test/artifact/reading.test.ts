import { readFileSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ArtifactFile } from 'tidemark'
import { testFolder } from '../folder.ts'
import { codeOf, fileOf, openStore, pathsOf, type Note, type OpenStore } from './open.ts'

const folder = testFolder()
let count = 0
let root: string
let store: OpenStore

const NOTE: Note = { folder: 'unit-7', filename: 'A001.N00', id: 'a', about: { peak: 4 } }
const FRAMES = ['one', 'two', 'three'.repeat(60_000)]

beforeEach(async () => {
  root = join(folder, String(count++))
  store = openStore(root)
  await store.notes.save(NOTE, FRAMES)
})

afterEach(() => store.close())

const open = async (): Promise<ArtifactFile> => {
  const file = await store.notes.open(NOTE.folder, NOTE.filename)
  if (!file) throw new Error('There is no such file.')
  return file
}

const read = async (stream: ReadableStream<Uint8Array>): Promise<string> => new Response(stream).text()

describe('open', () => {
  it('tells path, size and hash, and gives the bytes', async () => {
    const file = await open()
    expect(file).toMatchObject({
      path: pathsOf(root, NOTE).file,
      size: fileOf(FRAMES).length,
      metadata: { about: { peak: 4 } },
    })
    expect(await read(await file.stream())).toBe(fileOf(FRAMES))
    expect(Buffer.from(await file.bytes()).toString()).toBe(fileOf(FRAMES))
  })

  it.for([
    [0, 0],
    [0, 1],
    [8, 9],
    [5, 200_000],
    [65_535, 65_537],
    [65_536, 131_072],
    [180_000, undefined],
    [undefined, 12],
  ] as const)('bytes %s to %s', async ([start, end]) => {
    const file = await open()
    const part = fileOf(FRAMES).slice(start, end)
    expect(await read(await file.stream({ start, end }))).toBe(part)
    expect(Buffer.from(await file.bytes({ start, end })).toString()).toBe(part)
  })

  it.for([
    [-1, 5],
    [5, 4],
    [0, 1_000_000],
    [1_000_000, undefined],
    [0.5, 1],
    [Number.NaN, 1],
  ] as const)('bytes %s to %s do not exist', async ([start, end]) => {
    expect(await codeOf((await open()).stream({ start, end }))).toBe('out-of-range')
  })

  it('a reader who stops holds no file open, and nor does one who never began', async () => {
    const descriptors = (): number => process.getActiveResourcesInfo().length
    const file = await open()
    const before = descriptors()
    for (let i = 0; i < 50; i++) {
      const reader = (await file.stream()).getReader()
      await reader.read()
      await reader.cancel()
      await file.stream()
    }
    expect(descriptors()).toBeLessThanOrEqual(before + 2)
  })

  it('what does not exist is undefined and counted', async () => {
    expect(await store.notes.open('unit-7', 'B')).toBeUndefined()
    expect(await store.notes.open('unit-8', 'B')).toBeUndefined()
    expect(await store.notes.info('unit-7', 'B')).toBeUndefined()
    expect(await store.notes.source('unit-7', 'B')).toBeUndefined()
    await open()
    expect(await store.notes.stats()).toMatchObject({ opened: 1, missing: 2 })
    const { names } = await store.tide.stats()
    expect(names['notes']).toMatchObject({ hits: 1, misses: 2, sets: 1, hitsByTier: { files: 1 } })
  })

  it('a file that was made anew since is not mixed up with the old one', async () => {
    const file = await open()
    const stream = await file.stream()
    await store.notes.save(NOTE, ['short'])
    expect(await codeOf(read(stream))).toBe('artifact-changed')
    expect(await codeOf(file.stream())).toBe('artifact-changed')
    expect(await codeOf(file.bytes())).toBe('artifact-changed')
    expect(await read(await (await open()).stream())).toBe(fileOf(['short']))
  })

  it('readers never see half of anything while it is replaced over and over', async () => {
    const contents = new Set([fileOf(FRAMES)])
    const writing = (async () => {
      for (let i = 0; i < 40; i++) {
        const frames = [`${i}`.repeat(1 + ((i * 7919) % 90_000))]
        contents.add(fileOf(frames))
        await store.notes.save(NOTE, frames)
      }
    })()
    let seen = 0
    const other = openStore(root)
    const isOver = writing.then(() => true)
    while (!(await Promise.race([isOver, new Promise((resolve) => setImmediate(resolve))]))) {
      const file = await other.notes.open(NOTE.folder, NOTE.filename)
      const text = await file?.bytes().then(
        (bytes) => Buffer.from(bytes).toString(),
        (error: { code: string }) => error.code,
      )
      if (text === 'artifact-changed') continue
      expect(contents.has(text ?? 'nothing'), text?.slice(0, 100)).toBe(true)
      seen++
    }
    expect(seen).toBeGreaterThan(5)
    await other.close()
  })
})

describe('damage', () => {
  it.for([
    ['a flipped bit', (path: string) => flip(path, 20)],
    ['a file that was cut', (path: string) => truncateSync(path, 10)],
    ['an empty file', (path: string) => writeFileSync(path, '')],
    ['a longer file', (path: string) => writeFileSync(path, `${fileOf(FRAMES)}x`)],
    ['a missing file', (path: string) => rmSync(path)],
  ] as const)('%s is told, never served, and counted', async ([, damage]) => {
    await open()
    damage(pathsOf(root, NOTE).file)
    expect(await codeOf(open())).toBe('artifact-damaged')
    expect((await store.notes.stats()).damaged).toBe(1)
    expect((await store.tide.stats()).names['notes']?.corrupt).toBe(1)
    expect(store.events.filter(({ type }) => type === 'artifact-failed')).toMatchObject([
      { name: 'notes', folder: 'unit-7', filename: 'A001.N00', error: { code: 'artifact-damaged' } },
    ])
  })

  it('is found after a restart, and also where size and time were put back', async () => {
    const { file } = pathsOf(root, NOTE)
    await open()
    flip(file, 20)
    utimesSync(file, 1, 1)
    expect(await codeOf(open())).toBe('artifact-damaged')
    const other = openStore(root)
    expect(await codeOf(other.notes.open(NOTE.folder, NOTE.filename))).toBe('artifact-damaged')
    await other.close()
  })
})

describe('source', () => {
  it('gives the frames', async () => {
    expect(await store.notes.source(NOTE.folder, NOTE.filename)).toEqual(FRAMES)
  })

  it('is undefined when it is missing; the file is still served', async () => {
    rmSync(pathsOf(root, NOTE).frames)
    expect(await store.notes.source(NOTE.folder, NOTE.filename)).toBeUndefined()
    expect((await open()).size).toBe(fileOf(FRAMES).length)
  })

  it('one that is cut at any place is malformed, and counted', async () => {
    await store.notes.save({ ...NOTE, filename: 'small' }, ['x'])
    const { frames } = pathsOf(root, { ...NOTE, filename: 'small' })
    const whole = readFileSync(frames)
    for (let length = 0; length < whole.byteLength; length++) {
      writeFileSync(frames, whole.subarray(0, length))
      expect(await codeOf(store.notes.source(NOTE.folder, 'small')), `${length} bytes`).toBe('artifact-malformed')
    }
    expect((await store.notes.stats()).malformed).toBe(whole.byteLength)
  })

  it('any flipped bit is found', async () => {
    await store.notes.save({ ...NOTE, filename: 'small' }, ['x'])
    const { frames } = pathsOf(root, { ...NOTE, filename: 'small' })
    const whole = readFileSync(frames)
    for (let at = 0; at < whole.byteLength; at++) {
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] as number) ^ (1 << (at % 8))
      writeFileSync(frames, changed)
      const code = await codeOf(store.notes.source(NOTE.folder, 'small'))
      // A later format or an unknown flag is what a bit can make of an earlier one.
      expect(at >= 8 && at < 12 ? ['artifact-malformed', 'artifact-newer'] : ['artifact-malformed'], `${at}`).toContain(
        code,
      )
    }
  })

  it('a later format, an unknown flag and a later codec are newer, which is another error and another count', async () => {
    const { frames } = pathsOf(root, NOTE)
    const whole = readFileSync(frames)
    for (const at of [8, 9, 10]) {
      const later = Buffer.from(whole)
      later[at] = 9
      writeFileSync(frames, later)
      expect(await codeOf(store.notes.source(NOTE.folder, NOTE.filename))).toBe('artifact-newer')
    }
    writeFileSync(frames, whole)
    const source = {
      version: 2,
      encode: (them: readonly string[]) => Buffer.from(them.join()),
      decode: (bytes: Uint8Array, version: number) =>
        version === 1
          ? (JSON.parse(Buffer.from(bytes).toString()) as string[])
          : Buffer.from(bytes).toString().split(','),
    }
    const later = openStore(root, { source })
    expect(await later.notes.source(NOTE.folder, NOTE.filename)).toEqual(FRAMES)
    await later.notes.save({ ...NOTE, filename: 'later' }, ['x', 'y'])
    expect(await codeOf(store.notes.source(NOTE.folder, 'later'))).toBe('artifact-newer')
    expect(await store.notes.stats()).toMatchObject({ newer: 4, malformed: 0 })
    await later.close()
  })

  it('a codec that throws or finds nothing is told', async () => {
    const throwing = openStore(root, {
      source: {
        version: 1,
        encode: () => Buffer.of(1),
        decode: () => {
          throw new SyntaxError('no')
        },
      },
    })
    expect(await codeOf(throwing.notes.source(NOTE.folder, NOTE.filename))).toBe('artifact-malformed')
    await throwing.close()
    const empty = openStore(root, { source: { version: 1, encode: () => Buffer.of(1), decode: () => [] } })
    expect(await codeOf(empty.notes.source(NOTE.folder, NOTE.filename))).toBe('artifact-empty')
    await empty.close()
  })

  it('frames of another artifact are not taken for its own', async () => {
    await store.notes.save({ ...NOTE, filename: 'other' }, ['other'])
    renameSync(pathsOf(root, { ...NOTE, filename: 'other' }).frames, pathsOf(root, NOTE).frames)
    expect(await codeOf(store.notes.source(NOTE.folder, NOTE.filename))).toBe('artifact-malformed')
  })

  it('nothing stored is run or revived as code', async () => {
    const evil = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"then":"x","toJSON":"y"}'
    await store.notes.save({ ...NOTE, filename: 'evil', about: JSON.parse(evil) as object }, [evil])
    const info = await store.notes.info(NOTE.folder, 'evil')
    expect(JSON.stringify(info?.metadata)).toContain('"__proto__":{"polluted":1}')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    await store.notes.annotate(NOTE.folder, 'evil', { review: JSON.parse(evil) as Record<string, unknown> })
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect((await store.notes.verify()).findings).toEqual([])
  })
})

describe('sidecar', () => {
  it.for([
    ['no JSON', () => '{'],
    ['no UTF-8', () => Buffer.of(0xff, 0xfe)],
    ['a number', () => '123'],
    ['null', () => 'null'],
    ['a list', () => '[1]'],
    ['an empty object', () => '{}'],
    ['one without a hash', (text: string) => text.replaceAll('"sha256"', '"md5"')],
    ['one with a size that is a text', (text: string) => text.replace(/"size": (\d+)/, '"size": "$1"')],
    ['one with a review that is a text', (text: string) => text.replace('"review": {}', '"review": "x"')],
    ['one of another artifact', (text: string) => text.replaceAll('A001.N00', 'B001.N00')],
    ['a huge one', (text: string) => text + ' '.repeat(1024 * 1024)],
  ] as const)('%s is malformed, counted, and never overwritten', async ([, change]) => {
    const { sidecar } = pathsOf(root, NOTE)
    const changed = change(readFileSync(sidecar, 'utf8'))
    writeFileSync(sidecar, changed)
    expect(await codeOf(open())).toBe('artifact-malformed')
    expect(await codeOf(store.notes.info(NOTE.folder, NOTE.filename))).toBe('artifact-malformed')
    expect(await codeOf(store.notes.save(NOTE, ['x']))).toBe('artifact-malformed')
    expect(await codeOf(store.notes.annotate(NOTE.folder, NOTE.filename, { review: {} }))).toBe('artifact-malformed')
    expect((await store.notes.regenerate()).failed).toMatchObject([{ code: 'artifact-malformed' }])
    expect((await store.notes.stats()).malformed).toBe(5)
    expect(readFileSync(sidecar)).toEqual(Buffer.from(changed))
  })

  it('a newer one is another error, and is left alone', async () => {
    const { sidecar } = pathsOf(root, NOTE)
    const newer = readFileSync(sidecar, 'utf8').replace('"format": 1', '"format": 2')
    writeFileSync(sidecar, newer)
    expect(await codeOf(open())).toBe('artifact-newer')
    expect(await codeOf(store.notes.save(NOTE, ['x']))).toBe('artifact-newer')
    expect(await store.notes.stats()).toMatchObject({ newer: 2, malformed: 0 })
    expect(readFileSync(sidecar, 'utf8')).toBe(newer)
  })

  it('what others wrote into it stays', async () => {
    const { sidecar } = pathsOf(root, NOTE)
    const own = JSON.parse(readFileSync(sidecar, 'utf8')) as object
    writeFileSync(sidecar, JSON.stringify({ ...own, theirs: { key: 1 } }))
    const noted = await store.notes.annotate(NOTE.folder, NOTE.filename, { extensions: { map: 'x' } })
    expect(noted?.metadata).toEqual({ about: { peak: 4 }, theirs: { key: 1 } })
    expect(JSON.parse(readFileSync(sidecar, 'utf8'))).toMatchObject({ theirs: { key: 1 }, extensions: { map: 'x' } })
  })
})

describe('a root that cannot be', () => {
  it('a file in its place is told, and the next call tries again', async () => {
    const path = join(folder, String(count++))
    writeFileSync(path, '')
    const other = openStore(path)
    expect(await codeOf(other.notes.save(NOTE, ['x']))).toBe('artifact-unavailable')
    expect(await other.notes.open('unit-7', 'a').catch((error: { code: string }) => error.code)).toBe(
      'artifact-unavailable',
    )
    rmSync(path)
    expect((await other.notes.save(NOTE, ['x'])).outcome).toBe('written')
    await other.close()
  })

  it('a folder that went away with everything is made again', async () => {
    rmSync(root, { recursive: true })
    expect(await store.notes.open(NOTE.folder, NOTE.filename)).toBeUndefined()
    expect((await store.notes.save(NOTE, FRAMES)).outcome).toBe('written')
    expect((await store.notes.list()).artifacts).toHaveLength(1)
  })

  it('after the cache was closed every call says so', async () => {
    await store.close()
    const { notes } = store
    const calls = [
      notes.save(NOTE, ['x']),
      notes.open('a', 'b'),
      notes.info('a', 'b'),
      notes.source('a', 'b'),
      notes.list(),
      notes.annotate('a', 'b', { review: {} }),
      notes.delete('a', 'b'),
      notes.regenerate(),
      notes.verify(),
      notes.gc(),
      notes.reindex(),
      notes.stats(),
    ]
    expect([...new Set(await Promise.all(calls.map(codeOf)))]).toEqual(['closed'])
  })
})

function flip(path: string, at: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] as number) ^ 1
  writeFileSync(path, bytes)
}
