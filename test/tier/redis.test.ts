import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, it } from 'vitest'
import { redis } from 'tidemark/redis'
import { testTier } from 'tidemark/testing'
import { requireService } from '../services.ts'

const RUN = `tidemark-test-${process.pid}-${Date.now()}`
/** Room for the suite's largest value. */
const maxEntryBytes = 128 * 1024 * 1024
let tiers = 0
const nextPrefix = (): string => `${RUN}-${tiers++}`

await requireService('redis', (url) => {
  const ioredis = new Redis(url, { lazyConnect: true })
  const nodeRedis = createClient({ url })
  nodeRedis.on('error', () => {})
  const connected = nodeRedis.connect()

  testTier('redis through ioredis', () => redis({ client: ioredis, prefix: nextPrefix(), maxEntryBytes }), { test: it })
  testTier(
    'redis through node-redis',
    async () => {
      await connected
      return redis({ client: nodeRedis, prefix: nextPrefix(), maxEntryBytes })
    },
    { test: it },
  )

  afterAll(async () => {
    await removeKeys(ioredis, `{${RUN}-*`)
    ioredis.disconnect()
    nodeRedis.destroy()
  })
})

async function removeKeys(client: Redis, pattern: string): Promise<void> {
  for await (const keys of client.scanStream({ match: pattern, count: 1000 })) {
    if ((keys as string[]).length > 0) await client.unlink(...(keys as string[]))
  }
}
