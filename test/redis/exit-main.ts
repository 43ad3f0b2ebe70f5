// Uses a cache over Redis and closes only the clients: nothing of the cache may keep the process alive.

import { Redis } from 'ioredis'
import { createTidemark, memory, ttl } from '../../src/index.ts'
import { redis } from '../../src/redis.ts'

const [url, prefix] = process.argv.slice(2) as [string, string]
const client = new Redis(url)
const subscriber = client.duplicate()
const tide = createTidemark({ tiers: [memory(), redis({ client, subscriber, prefix })] })
const users = tide.resource<string, string>({ name: 'users', load: async () => 'value', freshness: ttl('1h') })
console.log(await users.get('a'))
await tide.clear()
for (const key of await client.keys(`{${prefix}*`)) await client.unlink(key)
client.disconnect()
subscriber.disconnect()
