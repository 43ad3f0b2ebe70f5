// Sets secrets and seals them under one key after the other until it is killed. Every intention and every acknowledgement
// goes to a log the parent reads afterwards.

import { openSync, writeSync } from 'node:fs'
import { createTidemark, jsonl, memory, sqlite, untilInvalidated } from '../../src/index.ts'
import { keyring, type KeyringKeys } from '../../src/seal/index.ts'

const [kind, path, logPath, a, b] = process.argv.slice(2) as [string, string, string, string, string]
const log = openSync(logPath, 'a')
const note = (line: string): void => void writeSync(log, `${line}\n`)
let keys: KeyringKeys = { active: 'a', keys: { a, b } }
const ring = await keyring.fromService(() => keys)
const tide = createTidemark({ tiers: [memory(), kind === 'jsonl' ? jsonl({ path }) : sqlite({ path })], keyring: ring })
const vault = tide.resource<string, { token: string }>({
  name: 'vault',
  load: async () => ({ token: 'LOADED' }),
  secrets: ['token'],
  freshness: untilInvalidated(),
})

process.send?.('ready')
void (async () => {
  for (let n = 1; ; n++) {
    keys = { active: n % 2 === 0 ? 'a' : 'b', keys: { a, b } }
    await ring.refresh()
    const { damaged, unknown } = await tide.rekey()
    if (damaged + unknown > 0) note(`lost ${damaged} ${unknown}`)
  }
})()
for (let n = 1; ; n++) {
  const key = `k${n % 20}`
  note(`try ${key} ${n}`)
  // Now and then one that lies in a file of its own.
  await vault.set(key, { token: `${n}:${'t'.repeat(n % 50 === 0 ? 100_000 : 20)}` })
  note(`ack ${key} ${n}`)
  if (n % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
}
