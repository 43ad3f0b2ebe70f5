// A migration that is killed is run again; one of more than fits into memory goes through.

import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { jsonl, sqlite, type Entry, type MigrateReport, type Tier } from 'tidemark'
import { FOREVER } from '../../src/entry.ts'
import { testFolder } from '../folder.ts'

const MAIN = fileURLToPath(new URL('copy-main.ts', import.meta.url))
const folder = testFolder()
const times = { loadedAt: 1, freshUntil: FOREVER, staleUntil: FOREVER, errorUntil: FOREVER, keepUntil: FOREVER }
const entry = (i: number, value: unknown): Entry => ({ key: { name: 'things', id: `${i}` }, value, ...times })

interface Said {
  readonly done?: number
  readonly report?: MigrateReport
}

function copy(from: string, to: string, flags: readonly string[] = []): ChildProcess {
  return spawn(process.execPath, [...flags, MAIN, from, to], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** All it says until it ends, or until `enough` kills it. */
async function run(child: ChildProcess, enough: (said: Said) => boolean = () => false): Promise<Said[]> {
  const all: Said[] = []
  const ended = new Promise((resolve) => child.once('close', resolve))
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const said = JSON.parse(line) as Said
    all.push(said)
    if (enough(said)) child.kill('SIGKILL')
  }
  await ended
  return all
}

async function fill(tier: Tier, count: number, valueOf: (i: number) => unknown): Promise<void> {
  for (let i = 0; i < count; i += 100) {
    await Promise.all(
      Array.from({ length: Math.min(100, count - i) }, (_, j) => tier.put(entry(i + j, valueOf(i + j)))),
    )
  }
  await tier.close()
}

it('killed at any point and run again, everything is there once', async () => {
  const [from, to] = [join(folder, 'kill.db'), join(folder, 'kill')]
  await fill(sqlite({ path: from }), 5_000, (i) => ({ i, text: 'x'.repeat(200) }))
  for (const kill of [100, 1_500, 3_000]) await run(copy(from, to), ({ done = 0 }) => done >= kill)
  const report = (await run(copy(from, to))).at(-1)?.report
  expect(report).toMatchObject({ damaged: 0, changed: 0, problems: [] })
  expect((report?.copied ?? 0) + (report?.older ?? 0)).toBe(5_000)
  // What was copied before it was killed was not copied again.
  expect(report?.older).toBeGreaterThanOrEqual(3_000 - 300)
  const target = jsonl({ path: to })
  expect(await target.count({ kind: 'all' })).toBe(5_000)
  for (let i = 0; i < 5_000; i += 7)
    expect((await target.get(entry(i, 0).key))?.value).toEqual({ i, text: 'x'.repeat(200) })
  await target.close()
}, 60_000)

it('a hundred values of a megabyte go through a heap of 40 megabytes', async () => {
  const [from, to] = [join(folder, 'large.db'), join(folder, 'large')]
  await fill(sqlite({ path: from }), 100, (i) => `${i} ${'y'.repeat(1_000_000)}`)
  const report = (await run(copy(from, to, ['--max-old-space-size=40']))).at(-1)?.report
  expect(report).toMatchObject({ copied: 100, damaged: 0, changed: 0 })
}, 60_000)
