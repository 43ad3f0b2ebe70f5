// Seals what is in a file under another key, and says what it did.

import { createTidemark, sqlite, ttl } from '../../src/index.ts'
import { keyring } from '../../src/seal/index.ts'

const [path, active, previous] = process.argv.slice(2) as [string, string, string]
const tide = createTidemark({
  tiers: [sqlite({ path })],
  keyring: keyring({ active: 'new', keys: { new: active, old: previous } }),
})
tide.resource({
  name: 'proxies',
  load: (_key: string): unknown => null,
  secrets: ['username', 'password'],
  freshness: ttl('1h'),
})
const report = await tide.rekey()
await tide.close()
process.send?.(report, () => process.disconnect())
