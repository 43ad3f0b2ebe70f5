// Disks and processes in trouble, for real: what is there is read, what cannot be written is told, and nothing is left behind.

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { testFolder } from '../folder.ts'
import { requireSmallDisks, smallDisk } from '../small-disk.ts'
import { codeOf, fileOf, openStore, pathsOf, type Note } from './open.ts'

const folder = testFolder()
const MAIN = fileURLToPath(new URL('trouble-main.ts', import.meta.url))
const NOTE: Note = { folder: 'unit-7', filename: 'a.N00', id: 'a' }
const NOBODY = 65_534

interface Seen {
  readonly during: { readonly read: string; readonly save: string; readonly list: string }
  readonly after: { readonly read: string; readonly save: string }
}

function inTrouble(trouble: string, root: string): Seen {
  const command = trouble === 'too-many-files' ? 'ulimit -n 40; exec "$0" "$@"' : 'exec "$0" "$@"'
  const output = execFileSync('sh', ['-c', command, process.execPath, '--no-warnings', MAIN, trouble, root], {
    encoding: 'utf8',
  })
  return JSON.parse(output) as Seen
}

describe('in a process of its own', () => {
  it('read-only-directory: what is there is read, a save is told', async () => {
    const root = join(folder, 'read-only')
    const store = openStore(root)
    await store.notes.save(NOTE, ['a'])
    await store.close()
    const isRoot = process.getuid?.() === 0
    chmodSync(folder, 0o755)
    for (const path of ['', ...readdirSync(root, { recursive: true, encoding: 'utf8' })]) {
      if (isRoot) chownSync(join(root, path), NOBODY, NOBODY)
      chmodSync(join(root, path), path === '' || !path.includes('.') || path === '.tidemark' ? 0o500 : 0o400)
    }
    const { during } = inTrouble('read-only', root)
    expect(during).toEqual({ read: fileOf(['a']), save: 'artifact-unavailable', list: 'artifact-unavailable' })
  })

  it('too-many-files: it is told, and over when they are closed', async () => {
    const root = join(folder, 'too-many')
    const store = openStore(root)
    await store.notes.save(NOTE, ['a'])
    await store.close()
    const { during, after } = inTrouble('too-many-files', root)
    expect([during.save, during.list]).toEqual(['artifact-unavailable', 'artifact-unavailable'])
    expect(after).toEqual({ read: fileOf(['a']), save: 'no error' })
    const again = openStore(root)
    expect((await again.notes.verify()).findings).toEqual([])
    await again.close()
  })
})

describe('another process that writes', () => {
  it('a lock that is held is waited for, and the lock of a killed process is free', async () => {
    const root = join(folder, 'locked')
    const store = openStore(root)
    await store.notes.save(NOTE, ['a'])
    const holder = spawn(process.execPath, ['--no-warnings', '-e', HOLD, join(root, '.tidemark', 'lock.db')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(holder.stdout, 'data')
    let isSaved = false
    const saving = store.notes.save(NOTE, ['b']).then((saved) => {
      isSaved = true
      return saved
    })
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(isSaved, 'it waits').toBe(false)
    expect((await store.notes.open(NOTE.folder, NOTE.filename))?.size, 'readers do not').toBe(fileOf(['a']).length)
    holder.kill('SIGKILL')
    expect((await saving).outcome).toBe('replaced')
    await store.close()
  })

  it('a lock file that is garbage, or was deleted, is made anew', async () => {
    const root = join(folder, 'lock-garbage')
    const store = openStore(root)
    const other = openStore(root)
    await store.notes.save(NOTE, ['a'])
    await other.notes.save(NOTE, ['b'])
    rmSync(join(root, '.tidemark', 'lock.db'))
    await Promise.all([
      store.notes.save(NOTE, ['c']),
      other.notes.annotate('unit-7', 'a.N00', { review: { ok: true } }),
    ])
    await store.close()
    writeFileSync(join(root, '.tidemark', 'lock.db'), 'garbage'.repeat(1000))
    const again = openStore(root)
    expect((await again.notes.save(NOTE, ['d'])).outcome).toBe('replaced')
    expect((await again.notes.info('unit-7', 'a.N00'))?.review).toEqual({ ok: true })
    await Promise.all([other.close(), again.close()])
  })
})

requireSmallDisks(() => {
  it('disk-full: what was saved is there, what does not fit is told and leaves nothing, and room is used', async () => {
    const root = join(smallDisk('1m'), 'store')
    const store = openStore(root)
    await store.notes.save(NOTE, ['a'.repeat(50_000)])
    const codes: string[] = []
    for (let i = 0; i < 12; i++)
      codes.push(
        await codeOf(store.notes.save({ ...NOTE, filename: `n${i}`, id: `n${i}` }, [String(i).repeat(60_000)])),
      )
    expect(codes).toContain('artifact-unavailable')
    expect(await codeOf(store.notes.save(NOTE, ['b'.repeat(500_000)]))).toBe('artifact-unavailable')
    expect((await store.notes.open(NOTE.folder, NOTE.filename))?.size).toBe(fileOf(['a'.repeat(50_000)]).length)
    expect(readdirSync(join(root, 'unit-7')).filter((name) => /\.(tmp|commit|gone)-/.test(name))).toEqual([])
    const { folder: unit, filename } = { ...NOTE, filename: 'n0' }
    expect(await store.notes.delete(unit, filename)).toBe(true)
    expect((await store.notes.save({ ...NOTE, filename: 'late', id: 'late' }, ['x'])).outcome).toBe('written')
    await store.close()
    const again = openStore(root)
    expect((await again.notes.verify()).findings).toEqual([])
    expect((await again.notes.list()).artifacts.length).toBe((await again.notes.verify()).checked)
    await again.close()
  })
})

describe('large files', () => {
  it('32 MB are saved, opened and verified without keeping the event loop to themselves', async () => {
    const root = join(folder, 'large')
    const bytes = Buffer.alloc(32 * 1024 * 1024, 'tide')
    const store = openStore(root, {
      encode: () => bytes,
      source: { version: 1, encode: () => bytes, decode: () => ['x'] },
    })
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const { sha256 } = await store.notes.save(NOTE, ['x'])
    const file = await store.notes.open(NOTE.folder, NOTE.filename)
    expect(file?.sha256).toBe(sha256)
    let size = 0
    for await (const chunk of (await file?.stream()) ?? []) size += chunk.byteLength
    expect(size).toBe(bytes.byteLength)
    expect((await store.notes.verify()).findings).toEqual([])
    clearInterval(timer)
    // At least one turn for each slice that was hashed.
    expect(turns).toBeGreaterThan(32)
    expect(pathsOf(root, NOTE).file).toBe(file?.path)
    await store.close()
  })
})

const HOLD = `
  const { DatabaseSync } = require('node:sqlite')
  const database = new DatabaseSync(process.argv[1])
  database.exec('BEGIN IMMEDIATE')
  process.stdout.write('held')
  setInterval(() => {}, 1000)
`
