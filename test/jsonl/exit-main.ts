// Closes a cache while its folder is being compacted, with nothing else left to do: the process must end in order.

import { createTidemark, jsonl, untilInvalidated } from '../../src/index.ts'

const tide = createTidemark({ tiers: [jsonl({ path: process.argv[2] as string })] })
const users = tide.resource<number, string>({
  name: 'users',
  load: async () => 'LOADED',
  freshness: untilInvalidated(),
  scope: (n) => `s${n % 3}`,
})
await Promise.all(Array.from({ length: 9_000 }, (_, n) => users.set(n, 'x'.repeat(1_000))))
// Two thirds are dead now: it begins.
await Promise.all(['s0', 's1'].map((scope) => tide.scope(scope).clear()))
if (process.argv[3] === 'close') await tide.close()
console.log('done')
