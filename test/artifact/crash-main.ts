// Changes notes of its own in a shared store until it is killed: node crash-main.ts ROOT LOG SEED PREFIX. Every intention and
// every acknowledgement goes to a log the parent reads afterwards.

import { openSync, writeSync } from 'node:fs'
import { openStore } from './open.ts'

const [root, logPath, seedText, prefix] = process.argv.slice(2) as [string, string, string, string]
const log = openSync(logPath, 'a')
const note = (line: string): void => void writeSync(log, `${line}\n`)
let seed = Number(seedText)
const random = (below: number): number => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return Math.floor((seed / 2_147_483_648) * below)
}

const { notes } = openStore(root)
process.send?.('ready')
for (let n = 1; ; n++) {
  const filename = `${prefix}${random(4)}.N00`
  const kind = random(10)
  if (kind === 0) {
    note(`try ${n} ${filename} delete`)
    await notes.delete('unit-7', filename)
  } else if (kind < 3) {
    note(`try ${n} ${filename} review`)
    await notes.annotate('unit-7', filename, { review: { n } })
  } else {
    // Now and then more than is written at once.
    const size = kind === 3 ? 200_000 : random(3000)
    note(`try ${n} ${filename} save ${size}`)
    await notes.save({ folder: 'unit-7', filename, id: filename }, [String(n), 'x'.repeat(size)])
  }
  note(`ack ${n}`)
}
