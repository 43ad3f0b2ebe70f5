import { expect, it } from 'vitest'
import { openDatabase } from '@tidemark/database'
import { proxyTo } from '../../../test/outage/proxy.ts'
import { requireService } from '../../../test/services.ts'
import { openHubDatabase, revisionSchema } from '../src/database/open.ts'
import { clientOf, settled } from './hub.ts'

it('without its database: 503 for who has nothing to be answered with, and health still answers', async () => {
  await using database = await openDatabase({ schema: 'statehub', url: 'postgres://nobody@127.0.0.1:1/none' })
  await using client = await clientOf(database)
  const refused = await client.get('/state/summary')
  expect(refused.status).toBe(503)
  expect(await refused.json()).toMatchObject({ error: { code: 'database-unavailable' } })
  const health = await client.get('/state/health')
  expect(health.status).toBe(200)
  const told = {
    status: 'degraded',
    summary: { next_read: 'miss' },
    last_error: expect.stringContaining('ECONNREFUSED'),
  }
  expect(await health.json()).toMatchObject(told)
  expect((await client.send('POST', '/progress', { event_type: 'note', summary: 'x' })).status).toBe(503)
  expect(client.errors).toEqual([])
})

await requireService('postgres', (url) => {
  it('connections that are cut off silently are given up: who waited is told, and new ones answer', async () => {
    const schema = `statehub_cut_${process.pid}_${Math.random().toString(36).slice(2, 8)}`
    const { proxy, url: through } = await proxyTo(url)
    await using database = await openHubDatabase({ schema, url: through, timeoutMs: 1_000 })
    try {
      await using client = await clientOf(database)
      await settled(client)
      const event = { event_type: 'note', summary: 'x' }
      const post = (): Promise<Response> => client.send('POST', '/progress', event)
      // All connections of the pool.
      await Promise.all(Array.from({ length: 10 }, post))
      proxy.cut()
      const cut = await Promise.all(Array.from({ length: 10 }, post))
      for (const response of cut) {
        expect(response.status).toBe(503)
        expect(await response.json()).toMatchObject({ error: { code: 'write-uncertain' } })
      }
      expect((await post()).status).toBe(201)
      expect(await settled(client)).toMatchObject({ progress_event_count: 11 })
      expect(client.errors).toEqual([])
    } finally {
      await database.query(`drop schema ${schema}, ${revisionSchema(schema)} cascade`)
    }
  })
})
