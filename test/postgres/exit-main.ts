// Uses a cache over PostgreSQL and closes only the pool: nothing of the cache may keep the process alive.

import { Pool } from 'pg'
import { createTidemark, memory, ttl } from '../../src/index.ts'
import { postgres } from '../../src/postgres.ts'

const [connectionString, schema] = process.argv.slice(2) as [string, string]
const client = new Pool({ connectionString })
const tide = createTidemark({ tiers: [memory(), { tier: postgres({ client, schema }), budget: '3s' }] })
const users = tide.resource<string, string>({ name: 'users', load: async () => 'value', freshness: ttl('1h') })
console.log(await users.get('a'))
await client.end()
