// Does everything at once until it is killed: sets and removals, an era that ends again and again, entries that time out and
// are swept, segments that are compacted, secrets that are sealed under one key after the other. Every intention and every
// acknowledgement goes to a log the parent reads afterwards.

import { openSync, writeSync } from 'node:fs'
import { keyring, type KeyringKeys } from '../../src/seal/index.ts'
import { GROUPS, openAll, type Secret } from './everything.ts'

const [folder, logPath, from, a, b] = process.argv.slice(2) as [string, string, string, string, string]
const log = openSync(logPath, 'a')
const note = (...words: (string | number)[]): void => void writeSync(log, `${words.join(' ')}\n`)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

let keys: KeyringKeys = { active: 'a', keys: { a, b } }
const ring = await keyring.fromService(() => keys)
let life = Number(from)
const { tide, tiers, vault, waves, short } = openAll(folder, ring, () => life)

let n = Number(from)

/** One change after the other, so that at most one of a group is under way. */
async function changeGroup(group: string, members: readonly string[]): Promise<void> {
  for (let i = 0; ; i++) {
    const version = ++n
    const key = members[version % members.length] as string
    const kind = i % 11 === 10 ? 'clear' : version % 5 === 0 ? 'delete' : 'set'
    // Now and then a value that lies in a file of its own.
    const length = version % 31 === 0 ? 80_000 : 20 + (version % 9) * 100
    note(group, 'try', kind, key, version, length)
    if (kind === 'clear') await tide.scope(group).clear()
    else if (kind === 'delete') await vault.delete(key)
    else await vault.set(key, { group, token: `${version}:${'v'.repeat(length)}` } satisfies Secret)
    note(group, 'ack', version)
    if (i % 7 === 0) await pause(1)
  }
}

/** The unit's memory is erased and filled again. */
async function endEras(): Promise<void> {
  for (;;) {
    life++
    note('era', 'try', life)
    await waves.get(['unit', 0], { refresh: true })
    for (const index of [1, 2]) await waves.get(['unit', index])
    note('era', 'ack', life)
    await pause(1)
  }
}

/** Dead as soon as they are written, so that there is always something to sweep, and to compact. */
async function litter(): Promise<void> {
  for (let i = 0; ; i = (i + 1) % 300) await short.set(`${process.pid} ${i}`, 'x'.repeat(3_000))
}

async function sweep(): Promise<void> {
  for (;;) {
    for (const tier of tiers) await tier.sweep(Date.now(), 50)
    await pause(2)
  }
}

async function rotate(): Promise<void> {
  for (let i = 0; ; i++) {
    keys = { active: i % 2 === 0 ? 'b' : 'a', keys: { a, b } }
    await ring.refresh()
    const { damaged, unknown } = await tide.rekey()
    if (damaged + unknown > 0) note('lost', damaged, unknown)
    await pause(2)
  }
}

process.send?.('ready')
for (const [group, members] of Object.entries(GROUPS)) void changeGroup(group, members)
void endEras()
void litter()
void sweep()
void rotate()
