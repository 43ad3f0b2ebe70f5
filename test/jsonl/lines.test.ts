// What stands in the files: for people, and for the versions to come. fixtures/format-1 was written by the first release and
// is never written again.

import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { FakeClock } from 'tidemark/testing'
import { OpenTier, lineFiles, linesOf, testPaths } from './tier.ts'

const FORMAT_1 = fileURLToPath(new URL('fixtures/format-1', import.meta.url))
const nextPath = testPaths()

function fixture(): OpenTier {
  const path = nextPath()
  cpSync(FORMAT_1, path, { recursive: true })
  const clock = new FakeClock()
  void clock.jump(1_000)
  return new OpenTier(path, {}, clock)
}

describe('format 1', () => {
  it('has a line of every kind', () => {
    const kinds = ['add', 'base', 'claim', 'drop', 'head', 'mark', 'remove', 'set']
    expect(new Set(linesOf(FORMAT_1).map(({ op }) => op))).toEqual(new Set(kinds))
  })

  it('every value is read as it was stored', async () => {
    const open = fixture()
    expect(open.corrupt).toEqual([])
    expect(await open.get('text')).toBeUndefined()
    expect(await open.get('tagged')).toEqual(
      new Map<unknown, unknown>([
        ['at', new Date(1_700_000_000_123)],
        ['big', 2n ** 70n],
        ['nan', Number.NaN],
      ]),
    )
    expect(await open.get('binary')).toEqual({ samples: new Int16Array([1, -2, 300]) })
    expect(await open.get('large')).toBe('0123456789'.repeat(6_600))
    expect(await open.get(['a', 1, true])).toBe('tuple')
    expect(await open.get('\ufffd')).toBe('odd key')
    expect(await open.get('after')).toEqual(['the base'])
    expect(await open.get('loaded')).toBe('by a load')
    expect(await open.get('last')).toBe(true)
    expect(await open.get('fenced')).toBe('set')
  })

  it('with everything that was said about it', async () => {
    const open = fixture()
    const start = open.clock.now() - 1_000
    expect(await open.tier.get({ name: 'users', id: 'grouped' })).toEqual({
      key: { name: 'users', id: 'grouped' },
      value: 1,
      loadedAt: start,
      freshUntil: start + 30_000,
      staleUntil: start + 150_000,
      errorUntil: start + 3_600_000,
      keepUntil: start + 86_400_000,
      scope: 'tcp:10.0.0.7:12345',
      era: 'memory',
      tags: ['units', 'events'],
      identity: ['wave', null, 3],
      revision: '42',
      bytes: 1,
    })
    expect(await open.tier.get({ name: 'users', id: 'marked' })).toMatchObject({
      freshUntil: start + 1_000,
      staleUntil: start + 121_000,
      keepUntil: start + 86_371_000,
      staleAt: start + 1_000,
    })
  })

  it('what was removed, or had to leave, is not there; what is claimed is', async () => {
    const open = fixture()
    for (const gone of ['removed', 'text', 'plain']) expect(await open.get(gone), gone).toBeUndefined()
    expect(await open.tier.count({ kind: 'name', name: 'churn' })).toBe(0)
    const claimed = { name: 'users', id: 'claimed' }
    expect(await open.tier.claims?.acquire(claimed, 'another', open.clock.now() + 1_000)).toBe(false)
  })

  it('is gone on with in the same folder', async () => {
    const open = fixture()
    await open.put('new', 1)
    await open.tier.close()
    expect(readdirSync(open.path).filter((name) => name.endsWith('.jsonl'))).toHaveLength(2)
    const again = new OpenTier(open.path, {}, open.clock)
    expect([await again.get('new'), await again.get('last')]).toEqual([1, true])
  })
})

describe('a line', () => {
  it('is JSON with key, times and value as a person reads them, and says who wrote it', async () => {
    const open = new OpenTier(nextPath())
    const now = open.clock.now()
    const times = {
      freshUntil: now + 30_000,
      staleUntil: now + 60_000,
      errorUntil: now + 30_000,
      keepUntil: now + 60_000,
    }
    await open.put('é', { n: [1, 'two'] }, { scope: 's', tags: ['t'], ...times })
    const [, line] = linesOf(open.path)
    expect(line).toMatchObject({
      op: 'set',
      name: 'users',
      key: 'é',
      scope: 's',
      tags: ['t'],
      value: { n: [1, 'two'] },
    })
    expect(line).toMatchObject({
      loadedAt: now,
      freshUntil: now + 30_000,
      staleUntil: now + 60_000,
      keepUntil: now + 60_000,
    })
    expect(line).not.toHaveProperty('errorUntil')
    expect(String(line?.['by'])).toMatch(new RegExp(`^0*${process.pid}-[0-9a-f]{8}$`))
    const text = readFileSync(lineFiles(open.path)[0] as string, 'utf8')
    expect(text.split('\n').map((it) => Buffer.byteLength(it) + 1)).toContain(line?.['size'])
  })

  it('of a large value names its file, which holds it as it is', async () => {
    const open = new OpenTier(nextPath())
    await open.put('a', { text: 'y'.repeat(70_000) })
    const line = linesOf(open.path).find(({ key }) => key === 'a') as { value: { file: string } }
    const file = join(open.path, 'large.values', line.value.file.slice(0, 2), line.value.file)
    expect(existsSync(file)).toBe(true)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ text: 'y'.repeat(70_000) })
  })

  it('whose value file was damaged, or is gone, is a miss and a count, once', async () => {
    const open = new OpenTier(nextPath())
    await open.put('a', 'y'.repeat(70_000))
    await open.put('b', 'z'.repeat(70_000))
    const { value } = linesOf(open.path).find(({ key }) => key === 'a') as { value: { file: string } }
    const file = join(open.path, 'large.values', value.file.slice(0, 2), value.file)
    writeFileSync(file, 'y'.repeat(69_999))
    expect(await open.get('a')).toBeUndefined()
    expect(await open.get('a')).toBeUndefined()
    expect(open.corrupt).toHaveLength(1)
    await open.put('a', 'y'.repeat(70_000))
    expect(await open.get('a')).toBe('y'.repeat(70_000))
    expect(await open.get('b')).toBe('z'.repeat(70_000))
  })
})
