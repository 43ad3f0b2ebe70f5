// C3, `disk-full`: PostgreSQL has no room for the cache's tables, which lie in a tablespace on a small file system.

import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { requireProgram } from '../services.ts'
import { fillDisk, requireSmallDisks, smallDisk } from '../small-disk.ts'
import { until } from '../tier/app.ts'
import { privatePostgres, serverUser, startApp } from './server.ts'

requireSmallDisks(() => {
  requireProgram(['postgres'], (program) => {
    const server = privatePostgres(program)

    it('disk-full: reads go on, writes degrade to memory and are counted, freed space means recovery without restart', async () => {
      const folder = smallDisk('2m', serverUser())
      await server.rows(`create tablespace small location '${folder}'`)
      const options = { schema: 'cache_full', settings: '-c default_tablespace=small', budget: 5_000 }
      const app = startApp(server, options)
      const state = async (): Promise<string> => (await app.status()).state
      for (let i = 0; i < 20; i++) await app.users.set(`early${i}`, `early ${i}`)
      await until(async () => (await state()) === 'up')
      const free = fillDisk(folder)
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
      free()
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
})
