// The JSONL tier beside what one would do by hand: appending, a positioned read, reading the file once.

import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Tier } from 'tidemark'
import { withFolder } from '../folder.ts'
import { shuffled } from '../item.ts'
import type { Goal, Report, Table } from '../report.ts'
import { inTurns, ratioOf, rowsAgainst, type Contender, type Measured } from '../rounds.ts'
import { RawFile, readInPieces } from './raw.ts'
import { ROWS, entryOf, openTier, putAll } from './rows.ts'

const AT_ONCE = 100
const PUTS = 10_000
const ONE_BY_ONE = 2_000
const GETS = 20_000
const READY = 'writeSync of 1 KB that is there already'
const BY_HAND = 'writeSync of JSON.stringify, one line each'
const TOGETHER = `tidemark, ${AT_ONCE} at once`
const SYNCED = `tidemark, ${AT_ONCE} at once, durability 'power-loss'`
const RAW_GET = 'positioned read + JSON.parse'
const GET = 'tidemark get'
const READ_FILE = 'readFileSync'
const OPEN = 'tidemark, opening the folder and one get'

/** The section `jsonl`. */
export function jsonlTier(): Promise<Report> {
  return withFolder(async (folder) => {
    const tier = openTier({ path: join(folder, 'segments') })
    const raw = new RawFile(join(folder, 'raw'))
    const entries = Array.from({ length: ROWS }, (_, n) => entryOf(n))
    await putAll(tier, entries, AT_ONCE)
    for (const [n, entry] of entries.entries()) raw.put(n, entry)
    const put = await puts(folder, tier, raw)
    const get = await gets(tier, raw)
    await tier.close()
    raw.close()
    const reopen = await reopening(join(folder, 'segments'))
    return {
      section: 'jsonl',
      title: 'the JSONL tier beside lines of JSON by hand',
      conditions: [
        `${ROWS} entries of 1 KB, files in the temporary folder; no fsync where nothing else is said`,
        'the tier by itself, without a stack; compaction runs where it is due',
      ],
      tables: [put.table, get.table, reopen.table],
      goals: [...put.goals, ...get.goals, ...reopen.goals],
    }
  })
}

interface Part {
  readonly table: Table
  readonly goals: readonly Goal[]
}

async function puts(folder: string, tier: Tier, raw: RawFile): Promise<Part> {
  const synced = openTier({ path: join(folder, 'synced'), durability: 'power-loss' })
  const entries = Array.from({ length: PUTS }, (_, n) => entryOf(n * 7))
  const ready = Buffer.alloc(1_024, 'x')
  const measured = await inTurns(
    [
      timed(READY, PUTS, () => entries.forEach(() => raw.append(ready))),
      timed(BY_HAND, PUTS, () => entries.forEach((entry, n) => raw.put(n * 7, entry))),
      timed(TOGETHER, PUTS, () => putAll(tier, entries, AT_ONCE)),
      timed('tidemark, one after the other', ONE_BY_ONE, () => putAll(tier, entries.slice(0, ONE_BY_ONE), 1)),
      timed(SYNCED, PUTS / 10, () => putAll(synced, entries.slice(0, PUTS / 10), AT_ONCE)),
    ],
    { rounds: 11, warmUp: 3 },
  )
  await synced.close()
  return {
    table: { title: 'put of 1 KB', unit: 'µs', against: BY_HAND, rows: rowsAgainst(measured, BY_HAND, 1_000) },
    goals: [goal('put of 1 KB', measured, TOGETHER, BY_HAND, 3)],
  }
}

async function gets(tier: Tier, raw: RawFile): Promise<Part> {
  const order = shuffled(ROWS).slice(0, GETS)
  const keys = order.map((n) => entryOf(n).key)
  const measured = await inTurns(
    [
      timed(RAW_GET, GETS, () => order.forEach((n) => raw.get(n))),
      timed(GET, GETS, () => keys.forEach((key) => void tier.get(key))),
    ],
    { rounds: 21, warmUp: 4 },
  )
  return {
    table: { title: `get, ${ROWS} entries`, unit: 'µs', against: RAW_GET, rows: rowsAgainst(measured, RAW_GET, 1_000) },
    goals: [goal('get', measured, GET, RAW_GET, 2)],
  }
}

async function reopening(path: string): Promise<Part> {
  const files = readdirSync(path)
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => join(path, name))
  const megabytes = Math.round(files.reduce((sum, file) => sum + statSync(file).size, 0) / 1e6)
  const measured = await inTurns(
    [
      timed(READ_FILE, 1, () => files.forEach((file) => readFileSync(file))),
      timed('read in pieces of 1 MiB', 1, () => files.forEach(readInPieces)),
      timed(OPEN, 1, async () => {
        const tier = openTier({ path })
        if ((await tier.get(entryOf(1).key)) === undefined) throw new Error('The entry was to be there.')
        await tier.close()
      }),
    ],
    { rounds: 11, warmUp: 2 },
  )
  return {
    table: {
      title: `reopening ${megabytes} MB`,
      unit: 'ms',
      against: READ_FILE,
      rows: rowsAgainst(measured, READ_FILE, 1e6),
    },
    goals: [goal(`reopening ${ROWS} entries`, measured, OPEN, READ_FILE, 1.3)],
  }
}

/** Work on so many things as a contender. */
function timed(label: string, count: number, work: () => unknown): Contender {
  return {
    label,
    run: async () => {
      const startedAt = performance.now()
      await work()
      return ((performance.now() - startedAt) * 1e6) / count
    },
  }
}

function goal(what: string, measured: readonly Measured[], label: string, floor: string, limit: number): Goal {
  return {
    what: `${what}, beside ${floor}`,
    measured: ratioOf(measured, label, floor),
    limit,
    unit: '×',
    better: 'lower',
  }
}
