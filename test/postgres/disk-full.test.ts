// C3, `disk-full`: PostgreSQL has no room for the cache's tables, which lie in a tablespace on a small file system.

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { requireProgram } from '../services.ts'
import { until } from '../tier/app.ts'
import { privatePostgres, serverUser, startApp } from './server.ts'

const REFUSED = 'disk-full needs to mount a small file system, which is refused here (run as root in a virtual machine)'

/** A small file system that belongs to the server; `undefined` where none may be mounted. */
function mounted(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-postgres-full-'))
  const { uid, gid } = serverUser()
  const options = `size=2m,mode=700,uid=${uid},gid=${gid}`
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status === 0
  onTestFinished(() => {
    if (isMounted) spawnSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  return isMounted ? folder : undefined
}

/** To the last byte. */
function fill(filler: string): void {
  const file = openSync(filler, 'w')
  for (const size of [65_536, 4_096, 512, 1]) {
    try {
      for (;;) writeSync(file, Buffer.alloc(size))
    } catch {
      // The next smaller piece.
    }
  }
  closeSync(file)
}

requireProgram(['postgres'], (program) => {
  const server = privatePostgres(program)

  it('disk-full: reads go on, writes degrade to memory and are counted, freed space means recovery without restart', async (context) => {
    const folder = mounted()
    if (folder === undefined) {
      if (process.env['REQUIRE_SERVICES'] === '1') throw new Error(REFUSED)
      return context.skip(REFUSED)
    }
    await server.rows(`create tablespace small location '${folder}'`)
    const options = { schema: 'cache_full', settings: '-c default_tablespace=small', budget: 5_000 }
    const app = startApp(server, options)
    const state = async (): Promise<string> => (await app.status()).state
    for (let i = 0; i < 20; i++) await app.users.set(`early${i}`, `early ${i}`)
    await until(async () => (await state()) === 'up')
    const filler = join(folder, 'filler')
    fill(filler)
    for (let i = 0; i < 1_000 && (await state()) !== 'read-only'; i++) {
      // What repeats would be compressed.
      await app.users.set(`late${i}`, randomBytes(1_500).toString('hex'))
    }
    expect(await state()).toBe('read-only')
    expect((await app.status()).journal.items).toBeGreaterThan(0)
    expect(await app.users.get('early7')).toBe('early 7')
    await app.users.set('during', 'set during')
    expect(await app.users.get('during')).toBe('set during')
    await app.users.delete('early8')
    expect(await app.users.get('early8')).toBe('loaded early8')
    rmSync(filler)
    await until(async () => (await state()) === 'up', 40_000)
    await app.users.set('after', 'set after')
    const other = startApp(server, options)
    expect(await other.users.get('after')).toBe('set after')
    expect(await other.users.get('early7')).toBe('early 7')
    // Over a network a set that found the disk full may be void when it is over, which costs a load; never older.
    expect(['set during', 'loaded during']).toContain(await other.users.get('during'))
    expect(await other.users.get('early8')).toBe('loaded early8')
  }, 120_000)
})
