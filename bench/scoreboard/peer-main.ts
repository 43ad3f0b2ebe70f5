// Plays every scenario with one library and sends the outcomes to the process that started this one.

import { PEERS } from './peers/all.ts'
import { run } from './run.ts'
import { SECTIONS } from './scenarios/all.ts'
import type { Outcome } from './scenario.ts'

const [, , name, only] = process.argv
const peer = PEERS.find((it) => it.name === name)
if (!peer) throw new Error(`No library ${name}. There are: ${PEERS.map((it) => it.name).join(', ')}.`)
const outcomes: Outcome[] = []
for (const scenario of Object.values(SECTIONS).flat()) {
  if (only !== undefined && scenario.name !== only) continue
  outcomes.push(await run(peer, scenario))
}
if (process.send) process.send(outcomes, () => process.exit())
else {
  for (const { scenario, result, why = '' } of outcomes)
    console.log(`${scenario.padEnd(32)} ${result.padEnd(20)} ${why}`)
  process.exit()
}
