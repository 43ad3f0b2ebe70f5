import { expect, it } from 'vitest'
import { openDatabase } from '@tidemark/database'
import { clientOf } from './hub.ts'

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
