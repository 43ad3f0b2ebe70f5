import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { jsonl, type Tier } from 'tidemark'
import type { Board } from './board.ts'
import { entryOf, putAll, wallClock } from './entry.ts'

const OPERATIONS = 2_000
const ROUNDS = 7
const AT_ONCE = 100
const PUT_RATIO_MAX = 3
const GET_RATIO_MAX = 2
const HOUR_MS = 3_600_000
const TEXT = 'x'.repeat(1_000)

/** JSONL beside lines written and read by hand, at a number of rows. */
export async function jsonlAt(rows: number, folder: string, board: Board): Promise<void> {
  const tier = jsonl({ path: join(folder, `rows-${rows}`) })
  tier.attach?.({ clock: wallClock, report: (news) => console.error(news) })
  const make = (n: number) => entryOf(n, `${n} ${TEXT}`, Date.now() + HOUR_MS)
  await putAll(tier, rows, AT_ONCE, make)
  const raw = new RawLines(join(folder, `raw-${rows}`))
  for (let n = 0; n < rows; n++) raw.put(n, `${n} ${TEXT}`)
  const times = { put: [] as number[], rawPut: [] as number[], get: [] as number[], rawGet: [] as number[] }
  for (let round = 0; round < ROUNDS; round++) {
    const at = (i: number): number => (i * 7919 + round * 104_729) % rows
    times.rawPut.push(
      await microseconds(async () => {
        for (let i = 0; i < OPERATIONS; i++) raw.put(at(i), `${i} ${TEXT}`)
      }),
    )
    times.put.push(await microseconds(() => putAll(tier, OPERATIONS, AT_ONCE, (i) => make(at(i)))))
    times.rawGet.push(
      await microseconds(async () => {
        for (let i = 0; i < OPERATIONS; i++) raw.get(at(i))
      }),
    )
    times.get.push(await microseconds(() => getAll(tier, at)))
  }
  await tier.close()
  raw.close()
  const [put, rawPut, get, rawGet] = [times.put, times.rawPut, times.get, times.rawGet].map(median) as [
    number,
    number,
    number,
    number,
  ]
  board.say(
    `JSONL at ${rows} rows of 1 KB, put`,
    `${put.toFixed(1)} µs, ${(put / rawPut).toFixed(2)} × a line appended by hand (target ≤ ${PUT_RATIO_MAX})`,
    put / rawPut <= PUT_RATIO_MAX,
  )
  board.say(
    `JSONL at ${rows} rows of 1 KB, get`,
    `${get.toFixed(1)} µs, ${(get / rawGet).toFixed(2)} × a positioned read and decode (target ≤ ${GET_RATIO_MAX})`,
    get / rawGet <= GET_RATIO_MAX,
  )
}

async function getAll(tier: Tier, at: (i: number) => number): Promise<void> {
  for (let i = 0; i < OPERATIONS; i++) {
    const found = tier.get({ name: 'proxies', id: `p${at(i)}` })
    if (found === undefined) throw new Error(`p${at(i)} was to be there.`)
  }
}

async function microseconds(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return ((performance.now() - began) * 1_000) / OPERATIONS
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number
}

/** A file of lines, and where each of them lies. */
class RawLines {
  readonly #fd: number
  readonly #places: { readonly at: number; readonly bytes: number }[] = []
  readonly #buffer = Buffer.allocUnsafe(8 * 1024)
  #end = 0

  constructor(path: string) {
    this.#fd = openSync(path, 'a+')
  }

  put(n: number, value: string): void {
    const line = Buffer.from(`${JSON.stringify(entryOf(n, value, Date.now() + HOUR_MS))}\n`)
    writeSync(this.#fd, line)
    this.#places[n] = { at: this.#end, bytes: line.byteLength }
    this.#end += line.byteLength
  }

  get(n: number): unknown {
    const { at, bytes } = this.#places[n] as { at: number; bytes: number }
    readSync(this.#fd, this.#buffer, 0, bytes, at)
    return JSON.parse(this.#buffer.toString('utf8', 0, bytes))
  }

  close(): void {
    closeSync(this.#fd)
  }
}
