// What is kept beside the files: the index, what people say, and how much there may be.

import { existsSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { untilInvalidated, type ArtifactPage, type ListOptions } from 'tidemark'
import { testFolder } from '../folder.ts'
import { codeOf, openStore, pathsOf, type Note, type OpenStore } from './open.ts'

const folder = testFolder()
let count = 0
let root: string
let store: OpenStore

const noteOf = (day: number, unit = 'unit-7'): Note => ({
  folder: unit,
  filename: `d${String(day).padStart(2, '0')}.N00`,
  time: `2026-05-${String(day).padStart(2, '0')}T12:00:00`,
})

beforeEach(() => {
  root = join(folder, String(count++))
  store = openStore(root)
})

afterEach(() => store.close())

const days = (page: ArtifactPage): number[] => page.artifacts.map(({ time }) => Number(time.slice(8, 10)))

describe('list', () => {
  beforeEach(async () => {
    for (const day of [3, 1, 5, 2, 4]) await store.notes.save(noteOf(day), [`${day}`])
    await store.notes.save(noteOf(3, 'unit-8'), ['x'])
  })

  it.for([
    [{}, [5, 4, 3, 3, 2, 1]],
    [{ order: 'oldest' }, [1, 2, 3, 3, 4, 5]],
    [{ folder: 'unit-7' }, [5, 4, 3, 2, 1]],
    [{ folder: 'unit-8' }, [3]],
    [{ folder: 'nowhere' }, []],
    [{ from: '2026-05-03' }, [5, 4, 3, 3]],
    [{ to: '2026-05-03T12:00:00' }, [2, 1]],
    [{ from: '2026-05-02', to: '2026-05-04', folder: 'unit-7' }, [3, 2]],
    [{ from: '2027' }, []],
    [{ limit: 2 }, [5, 4]],
  ] satisfies [ListOptions, number[]][])('%j', async ([options, expected]) => {
    expect(days(await store.notes.list(options))).toEqual(expected)
  })

  it.for(['newest', 'oldest'] as const)('page by page, %s first, nothing twice and nothing left out', async (order) => {
    const seen: string[] = []
    let after: string | undefined
    for (let i = 0; i < 10; i++) {
      const page: ArtifactPage = await store.notes.list({ order, limit: 2, after })
      seen.push(...page.artifacts.map((it) => `${it.folder}/${it.filename}`))
      after = page.next
      if (after === undefined) break
      // What happens between two pages moves none of the others.
      await store.notes.save(noteOf(10 + i, 'unit-9'), ['x'])
    }
    const old = seen.filter((it) => !it.startsWith('unit-9'))
    expect([new Set(old).size, old.length]).toEqual([6, 6])
  })

  it('tells size, hash, encoder, and whether it was reviewed', async () => {
    const { sha256, filesize } = await store.notes.save(noteOf(9), ['nine'])
    await store.notes.annotate('unit-7', 'd09.N00', { review: { ok: true } })
    expect((await store.notes.list({ limit: 1 })).artifacts).toEqual([
      {
        folder: 'unit-7',
        filename: 'd09.N00',
        time: '2026-05-09T12:00:00',
        size: filesize,
        sha256,
        encoderVersion: 1,
        capturedAt: store.clock.now(),
        reviewed: true,
        bytes: filesize + statSync(pathsOf(root, noteOf(9)).frames).size,
      },
    ])
  })

  it.for([
    [{ limit: 0 }, 'invalid-option'],
    [{ limit: 1001 }, 'invalid-option'],
    [{ order: 'random' as never }, 'invalid-option'],
    [{ from: 'yesterday' }, 'invalid-option'],
    [{ after: 'x' }, 'invalid-option'],
    [{ after: Buffer.from('[1,2,3]').toString('base64url') }, 'invalid-option'],
    [{ folder: '..' }, 'artifact-name'],
    [{ nope: 1 } as never, 'unknown-option'],
  ] as const)('%j is refused', async ([options, code]) => {
    expect(await codeOf(store.notes.list(options))).toBe(code)
  })
})

describe('the index is no truth', () => {
  const DAMAGES: readonly (readonly [string, (path: string) => void])[] = [
    ['is gone', (path) => rmSync(path)],
    ['is empty', (path) => truncateSync(path)],
    ['is garbage', (path) => writeFileSync(path, 'garbage'.repeat(2000))],
    ['is cut', (path) => truncateSync(path, 5000)],
    ['is of another program', (path) => foreign(path)],
  ]

  it.for(DAMAGES)('one that %s is made anew at the next open', async ([, damage]) => {
    for (const day of [1, 2, 3]) await store.notes.save(noteOf(day), ['x'])
    await store.close()
    for (const name of ['index.db-wal', 'index.db-shm']) rmSync(join(root, '.tidemark', name), { force: true })
    damage(join(root, '.tidemark', 'index.db'))
    store = openStore(root)
    expect(days(await store.notes.list())).toEqual([3, 2, 1])
    expect((await store.notes.stats()).files).toBe(3)
    expect((await store.notes.verify()).findings).toEqual([])
  })

  it('one that is deleted while it is in use is made anew by the next call', async () => {
    for (const day of [1, 2]) await store.notes.save(noteOf(day), ['x'])
    rmSync(join(root, '.tidemark'), { recursive: true })
    expect(days(await store.notes.list())).toEqual([2, 1])
    rmSync(join(root, '.tidemark'), { recursive: true })
    await store.notes.save(noteOf(3), ['x'])
    expect(days(await store.notes.list())).toEqual([3, 2, 1])
  })

  it('two stores that lost it do not take it from each other', async () => {
    const other = openStore(root)
    await store.notes.save(noteOf(1), ['x'])
    await other.notes.save(noteOf(2), ['x'])
    rmSync(join(root, '.tidemark'), { recursive: true })
    for (let day = 3; day < 9; day++) {
      await (day % 2 === 0 ? store : other).notes.save(noteOf(day), ['x'])
      expect((await store.notes.stats()).files).toBe(day)
      expect((await other.notes.stats()).files).toBe(day)
    }
    await other.close()
  })

  it('one of a newer program is left alone, and reading goes on', async () => {
    await store.notes.save(noteOf(1), ['x'])
    await store.close()
    const path = join(root, '.tidemark', 'index.db')
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version = 99')
    database.close()
    store = openStore(root)
    expect(await codeOf(store.notes.save(noteOf(2), ['x']))).toBe('artifact-newer')
    expect(await codeOf(store.notes.list())).toBe('artifact-newer')
    expect((await store.notes.open('unit-7', 'd01.N00'))?.size).toBeGreaterThan(0)
  })

  it('sidecars that cannot be read are left out and told', async () => {
    for (const day of [1, 2]) await store.notes.save(noteOf(day), ['x'])
    writeFileSync(pathsOf(root, noteOf(1)).sidecar, '{')
    expect(await store.notes.reindex()).toBe(1)
    expect((await store.notes.stats()).malformed).toBe(1)
  })
})

describe('annotate', () => {
  beforeEach(async () => {
    await store.notes.save(noteOf(1), ['x'])
  })
  const note = (review: Record<string, unknown>): Promise<unknown> =>
    store.notes.annotate('unit-7', 'd01.N00', { review }).then((info) => info?.review)

  it('merges field by field; null removes', async () => {
    expect(await note({ ok: true, by: { name: 'mm', team: 'n' } })).toEqual({ ok: true, by: { name: 'mm', team: 'n' } })
    expect(await note({ by: { team: null }, tags: ['x'] })).toEqual({ ok: true, by: { name: 'mm' }, tags: ['x'] })
    expect(await note({ ok: null, by: null, tags: null })).toEqual({})
    expect((await store.notes.list()).artifacts[0]?.reviewed).toBe(false)
  })

  it('people and programs are kept apart', async () => {
    await note({ ok: true })
    const info = await store.notes.annotate('unit-7', 'd01.N00', { extensions: { ok: 1 } })
    expect([info?.review, info?.extensions]).toEqual([{ ok: true }, { ok: 1 }])
  })

  it('many at once lose nothing, also from two stores', async () => {
    const other = openStore(root)
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        (i % 2 === 0 ? store : other).notes.annotate('unit-7', 'd01.N00', { review: { [`n${i}`]: i } }),
      ),
    )
    expect(Object.keys((await store.notes.info('unit-7', 'd01.N00'))?.review ?? {})).toHaveLength(40)
    await other.close()
  })

  it('the file is not touched, and one that does not exist is undefined', async () => {
    const before = statSync(pathsOf(root, noteOf(1)).file).mtimeMs
    await note({ ok: true })
    expect(statSync(pathsOf(root, noteOf(1)).file).mtimeMs).toBe(before)
    expect(await store.notes.annotate('unit-7', 'd02.N00', { review: {} })).toBeUndefined()
  })

  it.for([
    ['nothing', {}],
    ['a text', { review: 'ok' as never }],
    ['a list', { review: ['ok'] as never }],
    ['too much', { review: { text: 'x'.repeat(70_000) } }],
  ] as const)('%s is refused', async ([, wrong]) => {
    expect(await codeOf(store.notes.annotate('unit-7', 'd01.N00', wrong))).toBe('invalid-value')
  })

  it('too much in small pieces is refused as well', async () => {
    const pieces = Array.from({ length: 9 }, (_, i) => ({ [`n${i}`]: 'x'.repeat(10_000) }))
    const codes = []
    for (const piece of pieces) codes.push(await codeOf(note(piece)))
    expect(codes.filter((it) => it === 'invalid-value')).toHaveLength(3)
  })
})

describe('delete', () => {
  it('removes everything of it, once', async () => {
    await store.notes.save(noteOf(1), ['x'])
    await store.notes.save(noteOf(2), ['x'])
    expect(await store.notes.delete('unit-7', 'd01.N00')).toBe(true)
    expect(await store.notes.delete('unit-7', 'd01.N00')).toBe(false)
    expect(await store.notes.open('unit-7', 'd01.N00')).toBeUndefined()
    expect(readdirSync(join(root, 'unit-7'))).toHaveLength(3)
    expect(days(await store.notes.list())).toEqual([2])
    expect((await store.notes.save(noteOf(1), ['y'])).outcome).toBe('written')
  })

  it('also what is left of one, and with a sidecar that cannot be read', async () => {
    await store.notes.save(noteOf(1), ['x'])
    rmSync(pathsOf(root, noteOf(1)).sidecar)
    expect(await store.notes.delete('unit-7', 'd01.N00')).toBe(true)
    await store.notes.save(noteOf(2), ['x'])
    writeFileSync(pathsOf(root, noteOf(2)).sidecar, '{')
    expect(await store.notes.delete('unit-7', 'd02.N00')).toBe(true)
    expect(readdirSync(join(root, 'unit-7'))).toEqual([])
  })

  it('nothing that clears the cache touches a file', async () => {
    const others = store.tide.resource({ name: 'x', load: (_key: string) => 1, freshness: untilInvalidated() })
    await others.get('unit-7')
    await store.notes.save(noteOf(1), ['x'])
    await store.tide.scope('unit-7').clear()
    await store.tide.deleteTag('unit-7')
    await store.tide.clear()
    expect((await store.notes.open('unit-7', 'd01.N00'))?.filename).toBe('d01.N00')
    expect((await store.notes.verify()).sound).toBe(1)
  })
})

describe('quota', () => {
  const withQuota = async (quota: NonNullable<Parameters<typeof openStore>[1]>['quota']): Promise<void> => {
    await store.close()
    store = openStore(root, { quota })
  }

  it('a save over it is refused and writes nothing; what was there stays, and may be saved again', async () => {
    await withQuota({ maxFiles: 2 })
    for (const day of [1, 2]) await store.notes.save(noteOf(day), ['x'])
    expect(await codeOf(store.notes.save(noteOf(3), ['x']))).toBe('artifact-quota')
    expect(existsSync(pathsOf(root, noteOf(3)).file)).toBe(false)
    expect((await store.notes.save(noteOf(1), ['other'])).outcome).toBe('replaced')
    await store.notes.delete('unit-7', 'd01.N00')
    expect((await store.notes.save(noteOf(3), ['x'])).outcome).toBe('written')
  })

  it('counts bytes of files and frames together', async () => {
    await store.notes.save(noteOf(1), ['x'.repeat(1000)])
    const { bytes } = await store.notes.stats()
    expect(bytes).toBe(statSync(pathsOf(root, noteOf(1)).file).size + statSync(pathsOf(root, noteOf(1)).frames).size)
    await withQuota({ maxBytes: bytes + 100 })
    expect(await codeOf(store.notes.save(noteOf(2), ['x'.repeat(1000)]))).toBe('artifact-quota')
    expect(await codeOf(store.notes.save(noteOf(1), ['x'.repeat(1200)]))).toBe('artifact-quota')
    expect((await store.notes.save(noteOf(1), ['x'.repeat(900)])).outcome).toBe('replaced')
  })

  it('`collect` makes room by the oldest that nobody reviewed', async () => {
    await withQuota({ maxFiles: 3, whenFull: 'collect' })
    for (const day of [1, 2, 3]) await store.notes.save(noteOf(day), ['x'])
    await store.notes.annotate('unit-7', 'd01.N00', { review: { ok: true } })
    await store.notes.save(noteOf(4), ['x'])
    expect(days(await store.notes.list())).toEqual([4, 3, 1])
    expect(store.events.filter(({ type }) => type === 'artifact-removed')).toMatchObject([
      { filename: 'd02.N00', cause: 'quota' },
    ])
    await store.notes.annotate('unit-7', 'd03.N00', { review: { ok: true } })
    await store.notes.annotate('unit-7', 'd04.N00', { review: { ok: true } })
    expect(await codeOf(store.notes.save(noteOf(5), ['x']))).toBe('artifact-quota')
  })

  it('one that fits into no store does not empty it', async () => {
    await withQuota({ maxBytes: 2000, whenFull: 'collect' })
    await store.notes.save(noteOf(1), ['x'])
    expect(await codeOf(store.notes.save(noteOf(2), ['x'.repeat(3000)]))).toBe('artifact-quota')
    expect(days(await store.notes.list())).toEqual([1])
  })

  it('gc goes down to its limits, oldest first; a dry run says the same and removes nothing', async () => {
    for (const day of [1, 2, 3, 4, 5]) await store.notes.save(noteOf(day), ['x'])
    await store.notes.annotate('unit-7', 'd02.N00', { review: { ok: true } })
    const dry = await store.notes.gc({ maxFiles: 2, dryRun: true })
    expect(days(await store.notes.list())).toEqual([5, 4, 3, 2, 1])
    const report = await store.notes.gc({ maxFiles: 2 })
    expect({ ...report, dryRun: true }).toEqual(dry)
    expect(report.removed.map(({ filename }) => filename)).toEqual(['d01.N00', 'd03.N00', 'd04.N00'])
    expect([report.kept, days(await store.notes.list())]).toEqual([1, [5, 2]])
    expect((await store.notes.verify()).findings).toEqual([])
  })

  it('gc by age', async () => {
    for (const day of [1, 2, 3, 4]) await store.notes.save(noteOf(day), ['x'])
    expect((await store.notes.gc()).removed).toEqual([])
    expect((await store.notes.gc({ before: '2026-05-03' })).removed).toHaveLength(2)
    expect(days(await store.notes.list())).toEqual([4, 3])
  })

  it('`keep` decides; what cannot be read is kept', async () => {
    await store.close()
    store = openStore(root, { quota: { keep: ({ time }) => time.startsWith('2026-05-01') } })
    for (const day of [1, 2, 3]) await store.notes.save(noteOf(day), ['x'])
    await store.notes.annotate('unit-7', 'd02.N00', { review: { ok: true } })
    writeFileSync(pathsOf(root, noteOf(3)).sidecar, '{')
    const { removed, kept } = await store.notes.gc({ maxFiles: 0 })
    expect([removed.map(({ filename }) => filename), kept]).toEqual([['d02.N00'], 2])
  })
})

function foreign(path: string): void {
  rmSync(path)
  const database = new DatabaseSync(path)
  database.exec('CREATE TABLE artifact (x)')
  database.close()
}
