// Contract C7: names never leave the folder they are in.

import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testFolder } from '../folder.ts'
import { codeOf, openStore, pathsOf, type OpenStore } from './open.ts'

const folder = testFolder()
let count = 0
let outside: string
let root: string
let store: OpenStore

beforeEach(() => {
  outside = join(folder, String(count++))
  root = join(outside, 'root')
  store = openStore(root)
})

afterEach(() => store.close())

const HOSTILE = [
  '..',
  '.',
  '',
  '../x',
  '..\\x',
  '../../etc/passwd',
  '/etc/passwd',
  '\\\\host\\share',
  'C:\\x',
  'C:x',
  'x:stream',
  'a/b',
  'a\\b',
  'a\0b',
  'x\n',
  '.hidden',
  '.tidemark',
  '-rf',
  'x.',
  'x ',
  ' x',
  'CON',
  'nul.txt',
  'com1.N00',
  'LPT9',
  'caf\u00e9',
  'cafe\u0301',
  '\ud800',
  'x.frames',
  'x.FRAMES',
  'x.event.json',
  'x.tmp-0123456789ab',
  'x.commit-1',
  'x'.repeat(201),
] as const

describe('names-are-not-paths', () => {
  it.for(HOSTILE)('%j is refused as folder and as file name, by every method', async (name) => {
    const { notes } = store
    const good = 'unit-7'
    const codes = await Promise.all(
      [
        notes.save({ folder: name, filename: good }, ['x']),
        notes.save({ folder: good, filename: name }, ['x']),
        notes.open(name, good),
        notes.open(good, name),
        notes.info(good, name),
        notes.source(name, good),
        notes.annotate(good, name, { review: {} }),
        notes.delete(good, name),
        notes.regenerate({ folder: good, filename: name }),
        notes.regenerate({ folder: name }),
        notes.verify({ folder: name }),
        notes.list({ folder: name }),
      ].map(codeOf),
    )
    expect([...new Set(codes)]).toEqual(['artifact-name'])
    expect(readdirSync(outside)).toEqual(['root'])
  })

  it('what is no text is refused too', async () => {
    for (const name of [undefined, null, 5, {}, ['x'], { toString: () => 'x' }]) {
      expect(await codeOf(store.notes.open(name as never, 'x'))).toBe('artifact-name')
    }
  })

  it('any name is either refused or lies in its folder', async () => {
    const names = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.stringMatching(/^[./\\a-c:]{1,8}$/))
    await fc.assert(
      fc.asyncProperty(names, names, async (one, other) => {
        const code = await codeOf(store.notes.save({ folder: one, filename: other }, ['x']))
        if (code === 'no error') expect(readdirSync(join(root, one))).toContain(other)
        else expect(['artifact-name', 'artifact-conflict']).toContain(code)
        expect(readdirSync(outside)).toEqual(['root'])
      }),
      { numRuns: 300 },
    )
  })

  it('a folder that is a link is not entered', async () => {
    const theirs = join(outside, 'theirs')
    mkdirSync(theirs)
    await store.notes.save({ folder: 'unit-7', filename: 'a' }, ['x'])
    symlinkSync(theirs, join(root, 'unit-8'))
    const event = { folder: 'unit-8', filename: 'a' }
    for (const work of [
      store.notes.save(event, ['x']),
      store.notes.open('unit-8', 'a'),
      store.notes.source('unit-8', 'a'),
      store.notes.delete('unit-8', 'a'),
    ])
      expect(await codeOf(work)).toBe('artifact-unsafe')
    expect(readdirSync(theirs)).toEqual([])
    expect((await store.notes.verify()).checked).toBe(1)
  })

  it('a file that is a link is not followed, and is replaced rather than written through', async () => {
    const event = { folder: 'unit-7', filename: 'a', id: 'a' }
    await store.notes.save(event, ['x'])
    const theirs = join(outside, 'theirs')
    writeFileSync(theirs, 'theirs')
    const { file, frames } = pathsOf(root, { ...event, filename: 'b' })
    symlinkSync(theirs, file)
    symlinkSync('/etc/passwd', frames)
    expect(await codeOf(store.notes.open('unit-7', 'b'))).toBe('no error')
    expect(await codeOf(store.notes.source('unit-7', 'b'))).toBe('artifact-unsafe')
    expect(await codeOf(store.notes.save({ ...event, filename: 'b' }, ['x']))).toBe('artifact-unsafe')
    expect(readFileSync(theirs, 'utf8')).toBe('theirs')
    expect(lstatSync(file).isSymbolicLink()).toBe(true)
    const { findings } = await store.notes.verify()
    expect(findings.map(({ filename, problem }) => `${filename} ${problem}`)).toEqual(['b foreign', 'b.frames foreign'])
  })

  it('a pipe or a folder in the place of a file makes nobody wait', async () => {
    const event = { folder: 'unit-7', filename: 'a' }
    await store.notes.save(event, ['x'])
    execFileSync('mkfifo', [join(root, 'unit-7', 'pipe.frames')])
    mkdirSync(join(root, 'unit-7', 'folder.event.json'))
    expect(await codeOf(store.notes.source('unit-7', 'pipe'))).toBe('artifact-unsafe')
    expect(await codeOf(store.notes.open('unit-7', 'folder'))).toBe('artifact-unsafe')
  })

  it('names that differ in capitals only are a conflict', async () => {
    await store.notes.save({ folder: 'unit-7', filename: 'a.N00' }, ['x'])
    expect(await codeOf(store.notes.save({ folder: 'unit-7', filename: 'A.n00' }, ['x']))).toBe('artifact-conflict')
    expect(await codeOf(store.notes.save({ folder: 'UNIT-7', filename: 'b' }, ['x']))).toBe('artifact-conflict')
    expect(existsSync(join(root, 'UNIT-7'))).toBe(false)
    await store.notes.save({ folder: 'unit-8', filename: 'A.N00' }, ['x'])
  })

  it('a root that is a link is its owner’s choice', async () => {
    const real = join(outside, 'real')
    mkdirSync(real)
    symlinkSync(real, join(outside, 'link'))
    const other = openStore(join(outside, 'link'))
    await other.notes.save({ folder: 'unit-7', filename: 'a' }, ['x'])
    expect(readdirSync(join(real, 'unit-7'))).toHaveLength(3)
    await other.close()
  })
})

describe('refused options', () => {
  it.for([
    ['no root', { root: '' }],
    ['a root with NUL', { root: 'a\0b' }],
    ['an encoder version 0', { encoderVersion: 0 }],
    ['an encoder version that is a text', { encoderVersion: '1' as never }],
    ['a codec without version', { source: { encode: () => Buffer.of(1), decode: () => ['x'] } as never }],
    ['a codec that is none', { source: undefined as never }],
    ['a folder that is no function', { folder: 'x' as never }],
    ['a quota below 0', { quota: { maxBytes: -1 } }],
    ['a quota of another kind', { quota: { whenFull: 'wait' as never } }],
    ['a tool without name', { tool: '' }],
    ['a name with #', { name: 'a#b' }],
  ] as const)('%s', ([, options]) => {
    expect(() => openStore(root, options)).toThrow(expect.objectContaining({ code: 'invalid-option' }) as Error)
  })
})
