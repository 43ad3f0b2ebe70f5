// Changes a cache until it is killed. Every intention and every acknowledgement goes to a log the parent reads afterwards.

import { openSync, writeSync } from 'node:fs'
import { createTidemark, memory, sqlite, untilInvalidated } from '../../src/index.ts'

const [path, logPath, seedText] = process.argv.slice(2) as [string, string, string]
const log = openSync(logPath, 'a')
const note = (line: string): void => void writeSync(log, `${line}\n`)
let seed = Number(seedText)
const random = (below: number): number => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return Math.floor((seed / 2_147_483_648) * below)
}

const tide = createTidemark({ tiers: [memory(), sqlite({ path })] })
const users = tide.resource<string, string>({
  name: 'users',
  load: async () => 'LOADED',
  freshness: untilInvalidated(),
  scope: (key) => `s${Number(key.slice(1)) % 3}`,
})
const short = tide.resource<string, string>({
  name: 'short',
  load: async () => 'LOADED',
  freshness: untilInvalidated(),
})

process.send?.('ready')
for (let n = 1; ; n++) {
  const ops = Array.from({ length: 1 + random(8) }, (_, i) => operation(n, n * 100 + i))
  await Promise.all(ops)
  if (random(5) === 0) await new Promise((resolve) => setTimeout(resolve, random(3)))
}

async function operation(group: number, n: number): Promise<void> {
  const key = `k${random(20)}`
  const kind = random(20)
  if (kind === 0) {
    const scope = `s${random(3)}`
    note(`try ${group} ${n} scope ${scope}`)
    await tide.scope(scope).clear()
    note(`ack ${n}`)
  } else if (kind === 1) {
    await short.clear()
  } else if (kind < 6) {
    note(`try ${group} ${n} delete ${key}`)
    await users.delete(key)
    note(`ack ${n}`)
  } else {
    // Now and then a value that lies in a file of its own.
    const value = `${n}:${'v'.repeat(kind === 6 ? 100_000 : random(300))}`
    note(`try ${group} ${n} set ${key} ${value.length}`)
    await users.set(key, value)
    note(`ack ${n}`)
    if (kind === 7) await short.set(key, value)
  }
}
