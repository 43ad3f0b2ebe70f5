// A process that may not write, or has no descriptors left: node trouble-main.ts TROUBLE ROOT. Prints what it saw as JSON.

import { closeSync, openSync } from 'node:fs'
import { codeOf, openStore } from './open.ts'

const [trouble, root] = process.argv.slice(2) as ['read-only' | 'too-many-files', string]
const NOBODY = 65_534

// Root may write anywhere, so the test gives that up first.
if (trouble === 'read-only' && process.getuid?.() === 0) {
  process.setgid?.(NOBODY)
  process.setuid?.(NOBODY)
}
const held: number[] = []
if (trouble === 'too-many-files') {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch {
    // None left.
  }
}
const store = openStore(root)
const { notes } = store
const read = async (): Promise<string> =>
  Buffer.from((await (await notes.open('unit-7', 'a.N00'))?.bytes()) ?? []).toString()
const during = {
  read: await read().catch((error: { code: string }) => error.code),
  save: await codeOf(notes.save({ folder: 'unit-7', filename: 'b.N00' }, ['b'])),
  list: await codeOf(notes.list()),
}
for (const fd of held) closeSync(fd)
const after = { read: await read(), save: await codeOf(notes.save({ folder: 'unit-7', filename: 'c.N00' }, ['c'])) }
await store.close()
console.log(JSON.stringify({ during, after }))
