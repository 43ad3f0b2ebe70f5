// Connections that are cut off silently: what waits for them is given up, and so are they.

import { Pool } from 'pg'
import { expect, it, onTestFinished } from 'vitest'
import { createTidemark, memory } from 'tidemark'
import { pgRevision } from 'tidemark/postgres'
import { onPostgres, withTables } from '../source/postgres.ts'
import { proxyTo } from './proxy.ts'

await onPostgres((database) => {
  it('a view reads on over new connections, though its pool knows no timeout', { timeout: 30_000 }, async () => {
    await withTables(database, 'topics')
    const { proxy, url } = await proxyTo(database.url)
    const pool = new Pool({ connectionString: url, options: `-c search_path=${database.schema}`, max: 1 })
    pool.on('error', () => {})
    const tide = createTidemark({ tiers: [memory()] })
    onTestFinished(async () => {
      await tide.close()
      await pool.end()
    })
    const revision = pgRevision(['topics'], { client: pool, schema: database.own })
    let built = 0
    const view = tide.view({ name: 'view', sections: { core: { revision, build: () => ++built } } })
    await view.read()
    expect((await view.read()).status).toBe('hit')
    proxy.cut()
    expect(await view.read()).toMatchObject({ status: 'stale', revision: 'unknown', value: { core: 1 } })
    await expect.poll(async () => (await view.read()).status, { timeout: 20_000, interval: 200 }).toBe('hit')
  })
})
