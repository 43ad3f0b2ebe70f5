// `npm run scoreboard`: every library in a process of its own, a few at a time. Writes docs/scoreboard.md.
// --json   nothing but the outcomes, as JSON; writes no page

import { fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { PAGE, page, printed, versionOf, type Board } from './board.ts'
import { PEERS } from './peers/all.ts'
import { REDIS_URL } from './run.ts'
import type { Outcome } from './scenario.ts'

const AT_ONCE = 3
const probe = new Redis(REDIS_URL, { lazyConnect: true, retryStrategy: () => null })
probe.on('error', () => {})
try {
  await probe.connect()
} catch {
  console.error(`Redis does not answer at ${REDIS_URL}. Start it: redis-server; REDIS_URL names another one.`)
  process.exit(2)
}
probe.disconnect()
const { values } = parseArgs({ options: { json: { type: 'boolean', default: false } } })
const names = PEERS.map(({ name }) => name)
const found = new Map<string, readonly Outcome[]>()
const waiting = [...names]
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) found.set(name, await play(name))
  }),
)
const board: Board = new Map(names.map((name) => [name, found.get(name) as readonly Outcome[]]))
if (values.json) {
  const outcomes = names.map((name) => ({ name, version: versionOf(name), outcomes: board.get(name) }))
  console.log(JSON.stringify(outcomes, undefined, 2))
} else {
  writeFileSync(PAGE, page(board))
  console.log(`${printed(board)}\n\nWhat happened where one fails: docs/scoreboard.md`)
}

/** A library in a fresh process. What libraries print there is shown only if the process ends without outcomes. */
function play(name: string): Promise<readonly Outcome[]> {
  return new Promise((resolve, reject) => {
    const main = fileURLToPath(new URL('./peer-main.ts', import.meta.url))
    const child = fork(main, [name], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (said += String(text)))
    child.once('message', (outcomes) => resolve(outcomes as Outcome[]))
    child.once('exit', (code) => reject(new Error(`${name} ended with code ${code} and no outcomes.\n${said}`)))
  })
}
