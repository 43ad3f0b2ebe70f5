import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testFolder } from '../folder.ts'
import { TIME, codeOf, fileOf, openStore, pathsOf, type Note, type OpenStore } from './open.ts'

const folder = testFolder()
let count = 0
let root: string
let store: OpenStore

beforeEach(() => {
  root = join(folder, String(count++), 'made', 'by', 'the', 'store')
  store = openStore(root)
})

afterEach(() => store.close())

const NOTE: Note = { folder: 'unit-7', filename: 'A001.N00', id: 'a', about: { peak: 4 } }

describe('save', () => {
  it('writes the file, its frames and its sidecar, and tells what it wrote', async () => {
    const saved = await store.notes.save(NOTE, ['one', 'two'])
    const { file, frames, sidecar } = pathsOf(root, NOTE)
    const bytes = readFileSync(file)
    const hash = createHash('sha256').update(bytes).digest('hex')
    expect(bytes.toString()).toBe(fileOf(['one', 'two']))
    expect(saved).toEqual({
      folder: 'unit-7',
      filename: 'A001.N00',
      filesize: bytes.byteLength,
      sourceFilename: 'A001.N00.frames',
      sha256: hash,
      outcome: 'written',
    })
    expect(JSON.parse(readFileSync(sidecar, 'utf8'))).toEqual({
      about: { peak: 4 },
      source: {
        tool: 'tidemark',
        encoderVersion: 1,
        capturedAt: new Date(store.clock.now()).toISOString(),
        encodedAt: new Date(store.clock.now()).toISOString(),
        size: bytes.byteLength,
        sha256: hash,
        frames: {
          filename: 'A001.N00.frames',
          size: statSync(frames).size,
          version: 1,
          sha256: readFileSync(frames).subarray(-32).toString('hex'),
        },
      },
      review: {},
      extensions: {},
      artifact: { format: 1, folder: 'unit-7', filename: 'A001.N00', time: TIME, identity: ['a'] },
    })
    expect(readdirSync(join(root, 'unit-7')).toSorted()).toEqual(['A001.N00', 'A001.N00.event.json', 'A001.N00.frames'])
  })

  it('files-are-private: folders 0700, files 0600, the index and the lock too', async () => {
    await store.notes.save(NOTE, ['one'])
    const wrong = [root, join(root, 'unit-7'), join(root, '.tidemark')].filter(
      (it) => (statSync(it).mode & 0o777) !== 0o700,
    )
    for (const within of [join(root, 'unit-7'), join(root, '.tidemark')]) {
      for (const name of readdirSync(within)) {
        if ((statSync(join(within, name)).mode & 0o777) !== 0o600) wrong.push(name)
      }
    }
    expect(wrong).toEqual([])
  })

  it('the same again changes nothing, not even a time', async () => {
    await store.notes.save(NOTE, ['one'])
    const before = stateOf(root)
    await store.clock.advance('1h')
    expect((await store.notes.save(NOTE, ['one'])).outcome).toBe('unchanged')
    expect(stateOf(root)).toEqual(before)
  })

  it('the same frames make the same bytes in another store', async () => {
    const other = openStore(join(folder, String(count++)))
    const [a, b] = await Promise.all([store.notes.save(NOTE, ['x', 'y']), other.notes.save(NOTE, ['x', 'y'])])
    expect(b.sha256).toBe(a.sha256)
    await other.close()
  })

  it('the same thing with other frames replaces them, and nothing of a longer file survives', async () => {
    await store.notes.save(NOTE, ['long '.repeat(50_000)])
    await store.notes.annotate(NOTE.folder, NOTE.filename, { review: { ok: true }, extensions: { theirs: [1] } })
    const captured = (await store.notes.info(NOTE.folder, NOTE.filename))?.capturedAt
    await store.clock.advance('1d')
    expect((await store.notes.save(NOTE, ['short'])).outcome).toBe('replaced')
    expect(readFileSync(pathsOf(root, NOTE).file, 'utf8')).toBe(fileOf(['short']))
    expect(await store.notes.source(NOTE.folder, NOTE.filename)).toEqual(['short'])
    expect(await store.notes.info(NOTE.folder, NOTE.filename)).toMatchObject({
      review: { ok: true },
      extensions: { theirs: [1] },
      capturedAt: captured,
      encodedAt: store.clock.now(),
    })
  })

  it('metadata that was filled in later is written, with the same bytes', async () => {
    const { sha256 } = await store.notes.save(NOTE, ['one'])
    const again = await store.notes.save({ ...NOTE, about: { peak: 4, project: 'North' } }, ['one'])
    expect([again.outcome, again.sha256]).toEqual(['replaced', sha256])
    expect((await store.notes.info(NOTE.folder, NOTE.filename))?.metadata).toEqual({
      about: { peak: 4, project: 'North' },
    })
  })

  it.for([
    ['the file', 'file'],
    ['its frames', 'frames'],
    ['its sidecar', 'sidecar'],
  ] as const)('saving again mends what lost %s', async ([, part]) => {
    await store.notes.save(NOTE, ['one'])
    rmSync(pathsOf(root, NOTE)[part])
    expect((await store.notes.save(NOTE, ['one'])).outcome).not.toBe('unchanged')
    expect((await store.notes.verify()).findings).toEqual([])
  })

  it('any frames come back as they were', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), async (frames) => {
        await store.notes.save(NOTE, frames)
        expect(await store.notes.source(NOTE.folder, NOTE.filename)).toEqual(frames)
        const file = await store.notes.open(NOTE.folder, NOTE.filename)
        expect(Buffer.from((await file?.bytes()) ?? [])).toEqual(Buffer.from(fileOf(frames)))
      }),
      { numRuns: 40 },
    )
  })
})

describe('nothing is written for', () => {
  const untouched = (): void => expect(existsSync(join(root, 'unit-7'))).toBe(false)

  it('no frames', async () => {
    expect(await codeOf(store.notes.save(NOTE, []))).toBe('artifact-empty')
    expect(await codeOf(store.notes.save(NOTE, undefined as never))).toBe('artifact-empty')
    untouched()
  })

  it('an event without a folder or a name', async () => {
    expect(await codeOf(store.notes.save({ ...NOTE, folder: undefined as never }, ['one']))).toBe('artifact-name')
    expect(await codeOf(store.notes.save({ ...NOTE, filename: '' }, ['one']))).toBe('artifact-name')
    untouched()
  })

  it('an encoder or a codec that makes nothing of them', async () => {
    const source = { version: 1, encode: () => Buffer.from('x'), decode: () => [] as string[] }
    const none = { ...source, encode: () => new Uint8Array() }
    for (const options of [{ encode: () => new Uint8Array() }, { source }, { source: none }]) {
      const other = openStore(root, options)
      expect(await codeOf(other.notes.save(NOTE, ['one']))).toBe('artifact-empty')
      await other.close()
    }
    untouched()
  })

  it.for([
    ['an encoder that returns a text', { encode: () => 'text' as never }],
    ['a time that is none', { time: () => 'yesterday' }],
    ['an identity that is none', { identity: () => 'a' as never }],
    ['metadata that is none', { metadata: () => [] as never }],
    ['metadata that holds itself', { metadata: holdingItself }],
    ['metadata that hides what the store writes', { metadata: () => ({ source: 'mine' }) }],
    ['metadata that is deep', { metadata: () => ({ deep: JSON.parse('['.repeat(1_000) + ']'.repeat(1_000)) as [] }) }],
    ['an identity that is huge', { identity: () => ['x'.repeat(1_100_000)] }],
    ['metadata that is huge', { metadata: () => ({ text: 'x'.repeat(300_000) }) }],
  ] as const)('%s', async ([, options]) => {
    const other = openStore(root, options)
    expect(await codeOf(other.notes.save(NOTE, ['one']))).toBe('invalid-value')
    await other.close()
    untouched()
  })

  it('an encoder that throws; its error is the caller’s', async () => {
    const failure = new RangeError('too loud')
    const other = openStore(root, { encode: () => Promise.reject(failure) })
    await expect(other.notes.save(NOTE, ['one'])).rejects.toBe(failure)
    expect((await other.notes.stats()).failed).toBe(1)
    await other.close()
    untouched()
  })
})

describe('conflicts', () => {
  it('another thing under the same name is not overwritten, and both are named', async () => {
    await store.notes.save(NOTE, ['one'])
    const before = stateOf(root)
    const error: unknown = await store.notes.save({ ...NOTE, id: 'b' }, ['two']).catch((it: unknown) => it)
    expect(error).toMatchObject({ code: 'artifact-conflict', data: { folder: 'unit-7', filename: 'A001.N00' } })
    expect((error as Error).message).toContain('["a"]')
    expect((error as Error).message).toContain('["b"]')
    expect(stateOf(root)).toEqual(before)
    expect((await store.notes.stats()).conflicts).toBe(1)
  })

  it('what is unknown of an identity conflicts with nothing, and is learnt', async () => {
    await store.notes.save({ ...NOTE, id: undefined }, ['one'])
    expect((await store.notes.save(NOTE, ['one'])).outcome).toBe('replaced')
    expect((await store.notes.save({ ...NOTE, id: undefined }, ['one'])).outcome).toBe('unchanged')
    expect(await codeOf(store.notes.save({ ...NOTE, id: 'b' }, ['one']))).toBe('artifact-conflict')
  })

  it('without an identity the frames are what it is', async () => {
    const other = openStore(join(folder, String(count++)), { identity: undefined })
    await other.notes.save(NOTE, ['one'])
    expect((await other.notes.save({ ...NOTE, about: { more: 1 } }, ['one'])).outcome).toBe('replaced')
    expect(await codeOf(other.notes.save(NOTE, ['two']))).toBe('artifact-conflict')
    await other.close()
  })

  it('a lost sidecar does not make a thing another one', async () => {
    await store.notes.save(NOTE, ['one'])
    rmSync(pathsOf(root, NOTE).sidecar)
    expect(await codeOf(store.notes.save({ ...NOTE, id: 'b' }, ['two']))).toBe('artifact-conflict')
    expect((await store.notes.save(NOTE, ['two'])).outcome).toBe('written')
  })

  it('a file of unknown origin is adopted when it is the same, and a conflict when it is not', async () => {
    await store.notes.save({ ...NOTE, filename: 'first' }, ['x'])
    writeFileSync(join(root, 'unit-7', 'same'), fileOf(['one']))
    writeFileSync(join(root, 'unit-7', 'other'), 'theirs')
    expect((await store.notes.save({ ...NOTE, filename: 'same' }, ['one'])).outcome).toBe('written')
    expect(await codeOf(store.notes.save({ ...NOTE, filename: 'other' }, ['one']))).toBe('artifact-conflict')
    expect(readFileSync(join(root, 'unit-7', 'other'), 'utf8')).toBe('theirs')
  })

  it('two at once: one wins whole, the other is told', async () => {
    const other = openStore(root)
    const results = await Promise.allSettled([
      store.notes.save(NOTE, ['ours']),
      other.notes.save({ ...NOTE, id: 'b' }, ['theirs']),
      store.notes.save({ ...NOTE, id: 'c' }, ['third']),
    ])
    const won = results.filter((it) => it.status === 'fulfilled')
    const told = results.flatMap((it) => (it.status === 'rejected' ? [(it.reason as { code: string }).code] : []))
    expect([won.length, told]).toEqual([1, ['artifact-conflict', 'artifact-conflict']])
    expect((await store.notes.verify()).findings).toEqual([])
    const file = await store.notes.open(NOTE.folder, NOTE.filename)
    expect(file?.sha256).toBe(won[0]?.value.sha256)
    await other.close()
  })

  it('a hundred of the same at once write it once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => store.notes.save(NOTE, ['one'])))
    expect(outcomes.filter(({ outcome }) => outcome === 'written')).toHaveLength(1)
    expect(outcomes.filter(({ outcome }) => outcome === 'unchanged')).toHaveLength(99)
  })
})

/** Every file of the store but the index, with its bytes and its time. */
function stateOf(path: string): Record<string, string> {
  const files = readdirSync(path, { recursive: true, encoding: 'utf8', withFileTypes: true })
  return Object.fromEntries(
    files
      .filter((it) => it.isFile() && !it.parentPath.endsWith('.tidemark'))
      .map((it) => join(it.parentPath, it.name))
      .map((file) => [file, `${statSync(file).mtimeMs} ${readFileSync(file, 'hex')}`]),
  )
}

function holdingItself(): Record<string, unknown> {
  const it: Record<string, unknown> = {}
  it['it'] = it
  return it
}

it('as much as may be said of an artifact can be read again', async () => {
  const numbers = { numbers: Array.from({ length: 32_000 }, () => 1) }
  const about = { numbers: Array.from({ length: 130_000 }, () => 1), signs: '"[{\\'.repeat(100) }
  await store.notes.save({ ...NOTE, about }, ['one'])
  await store.notes.annotate(NOTE.folder, NOTE.filename, { review: numbers })
  await store.notes.annotate(NOTE.folder, NOTE.filename, { extensions: numbers })
  expect(await store.notes.info(NOTE.folder, NOTE.filename)).toMatchObject({
    metadata: { about },
    review: numbers,
    extensions: numbers,
  })
  expect((await store.notes.save({ ...NOTE, about }, ['one'])).outcome).toBe('unchanged')
})
