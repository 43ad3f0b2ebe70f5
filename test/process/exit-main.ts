// Uses a cache and does not close it: nothing of it may keep the process alive, and nothing acknowledged may be lost.

import { createTidemark, memory, sqlite, ttl } from '../../src/index.ts'

const tide = createTidemark({ tiers: [memory(), sqlite({ path: process.argv[2] as string })] })
const users = tide.resource<string, string>({
  name: 'users',
  load: async () => 'value',
  freshness: ttl('1h'),
  scope: () => 's',
})
console.log(await users.get('a'))
