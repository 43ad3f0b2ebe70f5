// A real PostgreSQL that is stopped, hung and broken off under readers. `npm run show -w apps/projectstatus` is the long form,
// with figures.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TROUBLES } from '../src/show/outages.ts'
import { Readers } from '../src/show/readers.ts'
import { openStand, type Stand } from '../src/show/stand.ts'
import { weather } from '../src/show/storm.ts'
import { requirePostgresPrograms } from './programs.ts'

const READS_PER_SECOND = 100
const OUTAGE_MS = 500
const ITEMS = 20
/** The hard budget is 2 s; the rest is for a machine that does other things as well. */
const SLOWEST_MS = 4_000

requirePostgresPrograms((folder) => {
  describe('a PostgreSQL of its own', () => {
    let stand: Stand
    let paths: string[]
    beforeAll(async () => {
      stand = await openStand(folder, { perSecond: 400 })
      const answer = await stand.service.fetch(new Request('http://127.0.0.1/status'))
      const { vendors, work_items: items } = (await answer.json()) as {
        vendors: { name: string }[]
        work_items: { id: string }[]
      }
      paths = [
        '/vendors',
        ...vendors.map(({ name }) => `/vendors/${encodeURIComponent(name)}`),
        ...items.slice(0, ITEMS).map(({ id }) => `/work-items/${id}`),
      ]
      // Read once, each of them is in the cache.
      for (const path of paths) await stand.service.fetch(new Request(`http://127.0.0.1${path}`))
    }, 120_000)
    afterAll(() => stand[Symbol.asyncDispose]())

    it.for(TROUBLES)(
      '$title: no read of a cached key fails, and the way back is calm',
      { timeout: 120_000 },
      async (trouble) => {
        await using readers = new Readers(stand.service, paths, READS_PER_SECOND)
        const seen = await weather(stand, readers, trouble, OUTAGE_MS)
        expect(seen).toMatchObject({ failed: 0, unsaid: 0 })
        expect(seen.fromCache).toBeGreaterThan(0)
        expect(seen.slowestMs).toBeLessThan(SLOWEST_MS)
        expect(seen.warmedKeys).toBeGreaterThanOrEqual(paths.length)
        expect(seen.mostQueriesOnReturn).toBeGreaterThan(0)
        expect(seen.mostQueriesOnReturn).toBeLessThanOrEqual(10)
      },
    )
  })
})
