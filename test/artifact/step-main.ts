// One change of a store, killed before its nth step: node step-main.ts ROOT CHANGE STEP. A step is anything that touches
// the disk; a write is killed half way. Prints how many steps it was when it gets through.

import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import sqlite from 'node:sqlite'

const [root, change, stepText] = process.argv.slice(2) as [string, string, string]
const killAt = Number(stepText)
let isCounting = false
let steps = 0

/** True when this is the step to die at. */
function isLast(): boolean {
  return isCounting && ++steps === killAt
}

function die(): never {
  process.kill(process.pid, 'SIGKILL')
  // The signal is on its way.
  for (;;);
}

type AnyFunction = (...args: never[]) => unknown
function killBefore(owner: object, name: string): void {
  const methods = owner as Record<string, AnyFunction>
  const original = methods[name] as AnyFunction
  methods[name] = function (this: unknown, ...args: never[]) {
    if (isLast()) die()
    return original.apply(this, args)
  }
}

for (const name of ['openSync', 'closeSync', 'renameSync', 'rmSync', 'mkdirSync', 'fsync']) killBefore(fs, name)
killBefore(sqlite.DatabaseSync.prototype, 'exec')
killBefore(sqlite.StatementSync.prototype, 'run')
const { writeSync } = fs
fs.writeSync = ((fd: number, bytes: Uint8Array, at: number) => {
  if (!isLast()) return writeSync(fd, bytes, at)
  writeSync(fd, bytes, at, Math.floor((bytes.byteLength - at) / 2))
  die()
}) as typeof fs.writeSync
syncBuiltinESMExports()

const { openStore } = await import('./open.ts')
const { NOTE, makeChange } = await import('./changes.ts')
const store = openStore(root, change === 'regenerate' ? { version: 2 } : {})
// Opened and recovered before the first step is counted.
await store.notes.info(NOTE.folder, NOTE.filename)
isCounting = true
await makeChange(store, change)
isCounting = false
fs.writeSync(1, `${steps}`)
process.exit(0)
