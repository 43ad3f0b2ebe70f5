// C3 on real folders: foreign, newer, damaged, deleted, moved, read-only. Reads go on, nothing foreign is touched.

import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { isTidemarkError, jsonl, type JsonlOptions } from 'tidemark'
import { SEGMENTS_MAX } from '../../src/tier/jsonl/file-id.ts'
import { OpenTier, lineFiles, linesOf, testPaths } from './tier.ts'

const nextPath = testPaths()
const codeOf = (act: () => unknown): unknown => {
  try {
    act()
    return undefined
  } catch (error) {
    return isTidemarkError(error) ? error.code : error
  }
}
const opening = (path: string): unknown => codeOf(() => new OpenTier(path))

async function filled(): Promise<string> {
  const path = nextPath()
  const open = new OpenTier(path)
  for (const key of ['a', 'b']) await open.put(key, key)
  await open.tier.close()
  return path
}

describe('paths that cannot be', () => {
  it('a file is refused at once, naming the option', () => {
    const path = nextPath()
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'file'), 'precious')
    expect(codeOf(() => jsonl({ path: join(path, 'file') }))).toBe('invalid-option')
    expect(readFileSync(join(path, 'file'), 'utf8')).toBe('precious')
  })

  it.for([
    [{ path: '' }, 'invalid-option'],
    [{ path: 'a\0b' }, 'invalid-option'],
    [{ maxEntries: 0 }, 'invalid-option'],
    [{ maxBytes: 1.5 }, 'invalid-option'],
    [{ maxEntryBytes: Number.NaN }, 'invalid-option'],
    [{ durability: 'yes' as 'process' }, 'invalid-option'],
    [{ shards: 16 } as JsonlOptions, 'unknown-option'],
  ] as const)('%o is refused', ([options, code]) => {
    expect(codeOf(() => jsonl({ path: nextPath(), ...options }))).toBe(code)
  })

  it("another program's folder is refused, and nothing in it is touched", () => {
    const path = nextPath()
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'app.jsonl'), '{"level":30}\n')
    expect(opening(path)).toBe('tier-foreign')
    expect(readdirSync(path)).toEqual(['app.jsonl'])
  })

  it("a newer version's folder is refused, and nothing in it is touched", async () => {
    const path = await filled()
    const manifest = join(path, 'tidemark.json')
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('"format": 1', '"format": 2'))
    const before = readdirSync(path).map((name) => [name, readFileSync(join(path, name), 'utf8')])
    expect(opening(path)).toBe('tier-newer')
    expect(readdirSync(path).map((name) => [name, readFileSync(join(path, name), 'utf8')])).toEqual(before)
  })
})

describe('the folder', () => {
  it('missing-directory: is made, private, and so is everything in it [proxies 36]', async () => {
    const path = join(nextPath(), 'deep', 'er')
    const open = new OpenTier(path)
    await open.put('a', 'x'.repeat(100_000))
    expect(statSync(path).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
      const stat = statSync(join(path, name))
      expect(stat.mode & 0o777, name).toBe(stat.isDirectory() ? 0o700 : 0o600)
    }
  })

  it('its manifest is damaged: moved aside, written anew from the files, every entry is there', async () => {
    const path = await filled()
    writeFileSync(join(path, 'tidemark.json'), 'garbage')
    const open = new OpenTier(path)
    expect([await open.get('a'), await open.get('b')]).toEqual(['a', 'b'])
    expect(open.corrupt).toHaveLength(1)
    await open.put('c', 'c')
    await open.tier.close()
    expect(readdirSync(path).filter((name) => name.includes('.corrupt-'))).toHaveLength(1)
    expect(await new OpenTier(path).get('c')).toBe('c')
  })

  it('its manifest is lost: the same', async () => {
    const path = await filled()
    rmSync(join(path, 'tidemark.json'))
    expect(await new OpenTier(path).get('b')).toBe('b')
  })

  it('manifest and heads are lost: everything is moved aside, one such set is kept, it serves anew', async () => {
    const path = await filled()
    for (let round = 0; round < 2; round++) {
      rmSync(join(path, 'tidemark.json'))
      const file = lineFiles(path)[0] as string
      writeFileSync(file, readFileSync(file, 'utf8').replace('{"op":"head"', '{"op":"haed"'))
      const open = new OpenTier(path)
      expect(await open.get('a')).toBeUndefined()
      expect(open.reports.map(({ kind }) => kind)).toEqual(['corrupt', 'quarantined'])
      await open.put('a', round)
      expect(await open.get('a')).toBe(round)
      await open.tier.close()
    }
    expect(readdirSync(path).filter((name) => name.includes('.corrupt-'))).toHaveLength(1)
  })

  it('a segment in the middle is lost: what it may have removed is not found any more', async () => {
    const path = await filled()
    // As if the second segment, with a removal in it, had been deleted by hand.
    writeFileSync(join(path, 'segment-00000003.jsonl'), '')
    const open = new OpenTier(path)
    expect(await open.get('a')).toBeUndefined()
    await open.put('a', 'new')
    expect(await open.get('a')).toBe('new')
  })

  it('a newer version begins to write in it: the tier says so, and leaves it alone from then on', async () => {
    const path = await filled()
    const open = new OpenTier(path)
    const file = lineFiles(path)[0] as string
    const head = readFileSync(file, 'utf8').split('\n')[0] as string
    const body = head.slice(0, head.indexOf(',"crc"')).replace('"format":1', '"format":2')
    appendFileSync(file, `${body},"crc":"${crc32(body).toString(16).padStart(8, '0')}"}\n`)
    await expect(open.put('a', 'new')).rejects.toMatchObject({ code: 'tier-newer' })
    expect(codeOf(() => open.tier.lease())).toBe('tier-newer')
    expect(opening(path)).toBe('tier-newer')
    const after = statSync(file).size
    await expect(open.put('a', 'newer')).rejects.toMatchObject({ code: 'tier-newer' })
    expect(statSync(file).size).toBe(after)
  })

  it('when the numbers of segments are used up it begins anew', async () => {
    const path = await filled()
    renameSync(lineFiles(path)[0] as string, join(path, `segment-${String(SEGMENTS_MAX).padStart(8, '0')}.jsonl`))
    const open = new OpenTier(path)
    expect(await open.get('a')).toBe('a')
    await Promise.all(Array.from({ length: 1_200 }, (_, i) => open.put('churn', `${i} ${'x'.repeat(1_000)}`)))
    await expect.poll(() => existsSync(join(path, 'segment-00000001.jsonl'))).toBe(true)
    expect(await open.get('a')).toBeUndefined()
    await open.put('a', 'new')
    expect(await new OpenTier(path).get('a')).toBe('new')
  })

  it('what a killed process left half written is removed [proxies 11]', async () => {
    const path = await filled()
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    const left = join(path, `base-00000001.jsonl.tmp-${pid}-01234567`)
    writeFileSync(left, 'half')
    const open = new OpenTier(path)
    expect(existsSync(left)).toBe(false)
    expect(await open.get('a')).toBe('a')
  })
})

describe('deleted-under-us', () => {
  it('a change finds it out at once: nothing acknowledged is lost, nothing old is served', async () => {
    const path = await filled()
    const open = new OpenTier(path)
    const lease = await open.tier.lease()
    rmSync(path, { recursive: true })
    await open.put('c', 'new')
    expect(existsSync(path)).toBe(true)
    expect([await open.get('a'), await open.get('c')]).toEqual([undefined, 'new'])
    expect(open.reports.map(({ kind }) => kind)).toEqual(['quarantined'])
    expect(await new OpenTier(path).get('c')).toBe('new')
    const { clock, tier } = open
    const late = { key: { name: 'users', id: 'x' }, value: 1, loadedAt: clock.now() }
    const times = { freshUntil: 8e15, staleUntil: 8e15, errorUntil: 8e15, keepUntil: 8e15 }
    expect(await tier.put({ ...late, ...times }, lease), 'a lease from before').toBe(false)
  })

  it('a folder that was moved away and replaced is noticed by the regular look', async () => {
    const path = await filled()
    const other = nextPath()
    const elsewhere = new OpenTier(other)
    await elsewhere.put('z', 'of another folder')
    await elsewhere.tier.close()
    const open = new OpenTier(path)
    let told: unknown
    open.tier.feed?.listen((changed) => (told = changed))
    const stop = open.tier.feed?.poll()
    renameSync(path, nextPath())
    renameSync(other, path)
    await expect.poll(() => told, { timeout: 5_000 }).toBe('all')
    expect([await open.get('a'), await open.get('z')]).toEqual([undefined, 'of another folder'])
    stop?.()
  })

  it('a live segment that was cut shorter is read anew', async () => {
    const path = await filled()
    const open = new OpenTier(path)
    expect(await open.get('b')).toBe('b')
    const file = lineFiles(path)[0] as string
    const bytes = readFileSync(file)
    const lines = linesOf(path)
    writeFileSync(file, bytes.subarray(0, bytes.lastIndexOf(10, bytes.byteLength - 2) + 1))
    expect(linesOf(path)).toHaveLength(lines.length - 1)
    await open.tier.lease()
    expect([await open.get('a'), await open.get('b')]).toEqual(['a', undefined])
  })
})

it.for([
  ['read-only-directory', 'read-only'],
  ['too-many-files', 'too-many-files'],
] as const)('%s: reads served from elsewhere, few events, in a process of its own', async ([, trouble]) => {
  const path = trouble === 'read-only' ? await filled() : nextPath()
  if (trouble === 'read-only') chmodSync(path, 0o555)
  const main = fileURLToPath(new URL('trouble-main.ts', import.meta.url))
  const command = trouble === 'too-many-files' ? `ulimit -n 40; exec "$0" "$@"` : `exec "$0" "$@"`
  const run = spawnSync('sh', ['-c', command, process.execPath, main, trouble, path], { encoding: 'utf8' })
  expect({ stderr: run.stderr, status: run.status }).toEqual({ stderr: '', status: 0 })
  const report = JSON.parse(run.stdout) as { values: string[]; states: string[]; final: string }
  expect(new Set(report.values)).toEqual(new Set(['LOADED']))
  expect(report.states.length, report.states.join(', ')).toBeLessThanOrEqual(4)
  if (trouble === 'read-only') expect(report.final).toBe('read-only')
  appendFileSync(join(path, '..', 'still-there'), '')
})
