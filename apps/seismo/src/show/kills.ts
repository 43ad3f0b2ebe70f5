import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { DeviceCache } from '../cache/device-cache.ts'
import { EventFiles } from '../event-file/event-files.ts'

/** What was left of the files of processes that were killed. */
export interface Survived {
  readonly rounds: number
  /** Files whose save was acknowledged, and those of them that are there, whole. */
  readonly acknowledged: number
  readonly there: number
  /** Whether everything fits together: files, frames, sidecars. */
  readonly isSound: boolean
  /** Names that no file of an event has, after the next opening. */
  readonly leftovers: readonly string[]
}

const SERIAL = 'BE11529'
const SAVES_MAX = 6
const EVENT_FILE = /^[B-Z]\d{3}[0-9A-Z]{4}\.[0-9A-Z]{2}0[WH]?(\.frames|\.event\.json)?$/

/** Kills a process that saves, again and again, each time after some more saves and a moment more. */
export async function kills(root: string, rounds: number): Promise<Survived> {
  const hashes = new Map<string, string>()
  for (let round = 0; round < rounds; round++) {
    for (const [filename, sha256] of await killed(root, round)) hashes.set(filename, sha256)
  }
  const cache = await DeviceCache.open({ path: ':memory:' })
  const { store } = new EventFiles(cache, { root })
  let there = 0
  for (const [filename, sha256] of hashes) if ((await store.open(SERIAL, filename))?.sha256 === sha256) there++
  const { findings } = await store.verify()
  await cache.close()
  const leftovers = readdirSync(`${root}/${SERIAL}`).filter((name) => !EVENT_FILE.test(name))
  return { rounds, acknowledged: hashes.size, there, isSound: findings.length === 0, leftovers }
}

async function killed(root: string, round: number): Promise<[string, string][]> {
  const main = fileURLToPath(new URL('save-main.ts', import.meta.url))
  const child = spawn(process.execPath, [main, root, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise((resolve) => child.once('close', resolve))
  const kept: [string, string][] = []
  for await (const line of createInterface({ input: child.stdout })) {
    kept.push(line.split(' ') as [string, string])
    // In the middle of any step of a later save.
    if (kept.length === 1 + (round % SAVES_MAX)) setTimeout(() => child.kill('SIGKILL'), round % 11)
  }
  await ended
  if (kept.length === 0) throw new Error(`Process ${round} of the kills ended by itself before it had saved anything.`)
  return kept
}
