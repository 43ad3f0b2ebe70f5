// Changes a folder until it is killed: sets, removals, short-lived entries that are swept, so much that it is compacted all
// the time. Every intention and every acknowledgement goes to a log the parent reads afterwards.

import { openSync, writeSync } from 'node:fs'
import { createTidemark, jsonl, ttl, untilInvalidated } from '../../src/index.ts'

const [path, logPath, from] = process.argv.slice(2) as [string, string, string]
const log = openSync(logPath, 'a')
const note = (line: string): void => void writeSync(log, `${line}\n`)
const KEYS = 20

const tide = createTidemark({ tiers: [jsonl({ path })] })
const users = tide.resource<string, string>({
  name: 'users',
  load: async () => 'LOADED',
  freshness: untilInvalidated(),
})
const short = tide.resource<string, string>({ name: 'short', load: async () => 'LOADED', freshness: ttl('5ms') })

let n = Number(from)
async function changeAgain(key: string): Promise<void> {
  for (;;) {
    const version = ++n
    const isRemoval = version % 5 === 0
    // Now and then a value that lies in a file of its own.
    const length = version % 37 === 0 ? 80_000 : 200 + (version % 7) * 500
    note(`try ${key} ${version} ${isRemoval ? 'absent' : length}`)
    if (isRemoval) await users.delete(key)
    else await users.set(key, `${version}:${'v'.repeat(length)}`)
    note(`ack ${key} ${version}`)
  }
}

/** Entries of the process's own, dead as soon as they are written. */
async function litter(): Promise<void> {
  for (let i = 0; ; i = (i + 1) % 500) await short.set(`${process.pid} ${i}`, 'x'.repeat(3_000))
}

process.send?.('ready')
for (let i = 0; i < KEYS; i++) void changeAgain(`k${i}`)
for (let i = 0; i < 4; i++) void litter()
