import { copyFileSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ArtifactOptions } from 'tidemark'
import { testFolder } from '../folder.ts'
import { codeOf, fileOf, openStore, pathsOf, type Note, type OpenStore } from './open.ts'

const folder = testFolder()
let count = 0
let root: string
let store: OpenStore

const NOTES: readonly Note[] = ['a', 'b', 'c', 'd'].map((id, i) => ({
  folder: i < 2 ? 'unit-7' : 'unit-8',
  filename: `${id}.N00`,
  id,
}))
const [A, B, C] = NOTES as [Note, Note, Note, Note]

beforeEach(async () => {
  root = join(folder, String(count++))
  store = openStore(root)
  for (const note of NOTES) await store.notes.save(note, [note.filename, 'x'])
})

afterEach(() => store.close())

/** Closes the store and opens it again with other options. */
async function reopen(options: Partial<ArtifactOptions<Note, string>> & { readonly version?: number }): Promise<void> {
  await store.close()
  store = openStore(root, options)
}

const textOf = (note: Note): string => readFileSync(pathsOf(root, note).file, 'utf8')
const named = (them: readonly { filename: string }[]): string[] => them.map(({ filename }) => filename)

describe('regenerate', () => {
  it('leaves alone what is right', async () => {
    const before = statSync(pathsOf(root, A).file).mtimeMs
    expect(await store.notes.regenerate()).toEqual({ dryRun: false, checked: 4, written: [], unchanged: 4, failed: [] })
    expect(statSync(pathsOf(root, A).file).mtimeMs).toBe(before)
  })

  it('makes all anew after the encoder changed, keeps what people said, and then finds nothing to do', async () => {
    await store.notes.annotate(A.folder, A.filename, { review: { ok: true }, extensions: { map: [1, 2] } })
    const captured = (await store.notes.info(A.folder, A.filename))?.capturedAt
    await reopen({ version: 2 })
    await store.clock.advance('1d')
    const report = await store.notes.regenerate()
    expect([report.checked, report.written.length, report.unchanged, report.failed]).toEqual([4, 4, 0, []])
    for (const note of NOTES) expect(textOf(note)).toBe(fileOf([note.filename, 'x'], 2))
    expect(await store.notes.info(A.folder, A.filename)).toMatchObject({
      review: { ok: true },
      extensions: { map: [1, 2] },
      encoderVersion: 2,
      encodedAt: store.clock.now(),
      capturedAt: captured,
    })
    expect((await store.notes.list()).artifacts.map(({ encoderVersion }) => encoderVersion)).toEqual([2, 2, 2, 2])
    expect((await store.notes.verify()).findings).toEqual([])
    expect((await store.notes.regenerate()).unchanged).toBe(4)
    expect((await store.notes.stats()).regenerated).toBe(4)
  })

  it('a newer encoder that makes the same bytes only says so in the sidecar', async () => {
    const encode: ArtifactOptions<Note, string>['encode'] = (frames) => Buffer.from(fileOf(frames))
    const before = statSync(pathsOf(root, A).file).mtimeMs
    await reopen({ encoderVersion: 2, encode })
    expect((await store.notes.regenerate()).written).toHaveLength(4)
    expect(statSync(pathsOf(root, A).file).mtimeMs).toBe(before)
    expect((await store.notes.info(A.folder, A.filename))?.encoderVersion).toBe(2)
  })

  it('a dry run says the same and changes nothing', async () => {
    await reopen({ version: 2 })
    const before = contentsOf(root)
    const dry = await store.notes.regenerate({ dryRun: true })
    expect([dry.dryRun, dry.written.length]).toEqual([true, 4])
    expect(contentsOf(root)).toEqual(before)
    expect((await store.notes.regenerate()).written).toEqual(dry.written)
  })

  it.for([
    ['missing', (path: string) => rmSync(path)],
    ['damaged', (path: string) => writeFileSync(path, 'other')],
    ['empty', (path: string) => writeFileSync(path, '')],
  ] as const)('makes anew a file that is %s, and only that', async ([, damage]) => {
    damage(pathsOf(root, B).file)
    const { written, unchanged } = await store.notes.regenerate()
    expect([named(written), unchanged]).toEqual([['b.N00'], 3])
    expect(textOf(B)).toBe(fileOf(['b.N00', 'x']))
  })

  it('writes a lost sidecar anew from the frames', async () => {
    const before = await store.notes.info(A.folder, A.filename)
    rmSync(pathsOf(root, A).sidecar)
    rmSync(pathsOf(root, A).file)
    expect(await store.notes.open(A.folder, A.filename)).toBeUndefined()
    expect(named((await store.notes.regenerate()).written)).toEqual(['a.N00'])
    expect(await store.notes.info(A.folder, A.filename)).toEqual(before)
    expect((await store.notes.list()).artifacts).toHaveLength(4)
    expect((await store.notes.verify()).findings).toEqual([])
  })

  it('makes the file of the frames that are there, when somebody put back others of the same', async () => {
    const { frames } = pathsOf(root, A)
    copyFileSync(frames, join(root, 'older'))
    await store.notes.save(A, ['newer'])
    renameSync(join(root, 'older'), frames)
    expect(named((await store.notes.regenerate()).written)).toEqual(['a.N00'])
    expect(textOf(A)).toBe(fileOf(['a.N00', 'x']))
  })

  it('one folder, or one artifact', async () => {
    await reopen({ version: 2 })
    expect(named((await store.notes.regenerate({ folder: 'unit-7' })).written)).toEqual(['a.N00', 'b.N00'])
    expect(named((await store.notes.regenerate({ folder: C.folder, filename: C.filename })).written)).toEqual(['c.N00'])
    expect((await store.notes.regenerate({ folder: 'nowhere' })).checked).toBe(0)
    expect(await codeOf(store.notes.regenerate({ filename: 'c.N00' }))).toBe('invalid-option')
  })

  it('what fails is named, goes on, and leaves its files as they are', async () => {
    rmSync(pathsOf(root, A).frames)
    writeFileSync(pathsOf(root, B).frames, 'torn')
    await reopen({ version: 2 })
    const { written, failed } = await store.notes.regenerate()
    expect(named(written)).toEqual(['c.N00', 'd.N00'])
    expect(failed.map(({ filename, code }) => [filename, code])).toEqual([['b.N00', 'artifact-malformed']])
    expect([textOf(A), textOf(B)]).toEqual([fileOf(['a.N00', 'x']), fileOf(['b.N00', 'x'])])
  })

  it('a file without a source that is damaged cannot be made, and says so', async () => {
    rmSync(pathsOf(root, A).frames)
    writeFileSync(pathsOf(root, A).file, 'other')
    const { failed } = await store.notes.regenerate()
    expect(failed).toMatchObject([{ filename: 'a.N00', code: 'artifact-damaged' }])
    expect(failed[0]?.message).toContain('a.N00.frames is missing')
    expect(textOf(A)).toBe('other')
  })

  it.for([
    [
      'a codec that finds no frames',
      { source: { version: 1, encode: () => Buffer.of(1), decode: () => [] } },
      'artifact-empty',
    ],
    ['an encoder that makes no bytes', { encode: () => new Uint8Array() }, 'artifact-empty'],
    ['an encoder that throws', { encode: () => Promise.reject(new Error('no')) }, 'encoder-failed'],
  ] as const)('%s never empties a file', async ([, options, code]) => {
    await reopen({ ...options, encoderVersion: 2 })
    const before = contentsOf(root)
    const { failed, written } = await store.notes.regenerate()
    expect([failed.map((it) => it.code), written]).toEqual([[code, code, code, code], []])
    expect(contentsOf(root)).toEqual(before)
  })

  it('never goes back to an older encoder', async () => {
    await reopen({ version: 2 })
    await store.notes.regenerate()
    await reopen({ version: 1 })
    expect((await store.notes.regenerate()).unchanged).toBe(4)
    expect((await store.notes.save(A, ['a.N00', 'x'])).outcome).toBe('unchanged')
    expect(await codeOf(store.notes.save(A, ['other']))).toBe('artifact-newer')
    rmSync(pathsOf(root, A).file)
    expect((await store.notes.regenerate()).failed).toMatchObject([{ filename: 'a.N00', code: 'artifact-newer' }])
  })

  it('tells how far it has come, and draws it on a terminal', async () => {
    await reopen({ version: 2 })
    let drawn = ''
    const terminal = { isTTY: true, columns: 80, write: (text: string) => (drawn += text) }
    await store.notes.regenerate({ terminal })
    const progress = store.events.flatMap((it) => (it.type === 'progress' ? [`${it.key} ${it.done}/${it.total}`] : []))
    expect(progress).toEqual(['unit-7/a.N00 1/4', 'unit-7/b.N00 2/4', 'unit-8/c.N00 3/4', 'unit-8/d.N00 4/4'])
    expect(drawn.split('\r').at(-1)).toBe(`\x1b[2Kregenerating ${'█'.repeat(30)} 4/4 100 %\n`)
    drawn = ''
    await store.notes.regenerate({ terminal: { write: terminal.write } })
    expect(drawn, 'nothing where nobody looks').toBe('')
  })

  it('saves meanwhile are neither lost nor undone', async () => {
    await reopen({ version: 2 })
    const [report] = await Promise.all([
      store.notes.regenerate(),
      ...NOTES.map((note, i) => store.notes.save(note, [`new ${i}`])),
    ])
    expect(report.failed).toEqual([])
    for (const [i, note] of NOTES.entries()) expect(textOf(note)).toBe(fileOf([`new ${i}`], 2))
    expect((await store.notes.verify()).findings).toEqual([])
  })
})

describe('verify', () => {
  const problems = async (): Promise<string[]> =>
    (await store.notes.verify()).findings.map(({ filename, problem }) => `${filename} ${problem}`)

  it('finds nothing wrong in what was saved', async () => {
    expect(await store.notes.verify()).toEqual({ checked: 4, sound: 4, outdated: 0, findings: [] })
    await reopen({ version: 2 })
    expect(await store.notes.verify()).toEqual({ checked: 4, sound: 4, outdated: 4, findings: [] })
  })

  it.for([
    ['a missing file', (it: Paths) => rmSync(it.file), ['a.N00 file-missing']],
    ['a damaged file', (it: Paths) => writeFileSync(it.file, 'x'), ['a.N00 file-damaged']],
    ['missing frames', (it: Paths) => rmSync(it.frames), ['a.N00 source-missing']],
    ['damaged frames', (it: Paths) => writeFileSync(it.frames, 'x'), ['a.N00 source-malformed']],
    ['newer frames', (it: Paths) => patch(it.frames, 8, 2), ['a.N00 source-newer']],
    ['a missing sidecar', (it: Paths) => rmSync(it.sidecar), ['a.N00 sidecar-missing', 'a.N00 indexed-only']],
    ['a damaged sidecar', (it: Paths) => writeFileSync(it.sidecar, '{'), ['a.N00 sidecar-malformed']],
    [
      'only the file',
      (it: Paths) => [it.frames, it.sidecar].forEach((path) => rmSync(path)),
      ['a.N00 orphan', 'a.N00 indexed-only'],
    ],
    ['nothing', (it: Paths) => Object.values(it).forEach((path) => rmSync(path)), ['a.N00 indexed-only']],
    [
      'a sidecar of a name that is none',
      (it: Paths) => writeFileSync(`${it.file} x.frames`, ''),
      ['a.N00 x.frames foreign'],
    ],
    ['a stranger', (it: Paths) => writeFileSync(`${it.file} copy`, ''), ['a.N00 copy foreign']],
  ] as const)('%s', async ([, damage, found]) => {
    damage(pathsOf(root, A))
    expect(await problems()).toEqual(found)
    expect((await store.notes.verify({ folder: 'unit-8' })).findings).toEqual([])
  })

  it('frames of another capture', async () => {
    const { frames } = pathsOf(root, A)
    copyFileSync(frames, join(root, 'older'))
    await store.notes.save(A, ['newer'])
    renameSync(join(root, 'older'), frames)
    expect(await problems()).toEqual(['a.N00 source-other'])
  })

  it('what came into the folders past the store; reindex knows it then', async () => {
    for (const path of Object.values(pathsOf(root, C))) copyFileSync(path, join(root, 'copy'))
    await store.notes.delete(C.folder, C.filename)
    const other = openStore(join(folder, String(count++)))
    await other.notes.save(C, ['theirs'])
    for (const name of readdirSync(join(folder, String(count - 1), 'unit-8')))
      copyFileSync(join(folder, String(count - 1), 'unit-8', name), join(root, 'unit-8', name))
    await other.close()
    expect(await problems()).toEqual(['c.N00 not-indexed'])
    expect(await store.notes.reindex()).toBe(4)
    expect(await problems()).toEqual([])
    expect((await store.notes.open(C.folder, C.filename))?.size).toBe(fileOf(['theirs']).length)
  })
})

type Paths = ReturnType<typeof pathsOf>

function patch(path: string, at: number, byte: number): void {
  const bytes = readFileSync(path)
  bytes[at] = byte
  writeFileSync(path, bytes)
}

function contentsOf(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((it) => it.isFile() && !it.parentPath.endsWith('.tidemark'))
    .map((it) => `${join(it.parentPath, it.name)} ${readFileSync(join(it.parentPath, it.name), 'hex')}`)
}
