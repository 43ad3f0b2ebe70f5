// Contract C3, `kill-9`, for the folder: killed during appends, compaction and sweeps; what was acknowledged is there, nothing
// is half there, nothing is left lying about. CRASH_ROUNDS sets how often (default 8).

import { fork } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { createTidemark, jsonl, untilInvalidated } from 'tidemark'
import { testFolder } from '../folder.ts'
import { until } from './tier.ts'

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 8)
const MAIN = fileURLToPath(new URL('crash-main.ts', import.meta.url))
const KEYS = 20
const folder = testFolder()

/** Two processes that are killed after so long, one after the other. */
async function killed(path: string, logs: readonly string[], round: number, isAtWork: () => boolean): Promise<void> {
  const children = logs.map((log, i) =>
    // Versions of different rounds and processes never meet.
    fork(MAIN, [path, log, String((round * 2 + i) * 10_000_000)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
  )
  await Promise.all(children.map((child) => new Promise((resolve) => child.once('message', resolve))))
  await until(isAtWork, 60_000)
  for (const [i, child] of children.entries()) {
    await new Promise((resolve) => setTimeout(resolve, 10 + ((round * 53 + i * 31) % 140)))
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await gone
  }
}

/** For every key what it may hold: of each process its last acknowledged change or a later one; or what was there before, if none was. */
function expectedStates(logs: readonly string[], before: ReadonlyMap<string, string>): Map<string, Set<string>> {
  const states = new Map<string, Set<string>>()
  const acknowledged = new Set<string>()
  for (const log of logs) {
    const changes = new Map<string, { version: string; state: string }[]>()
    for (const line of (existsSync(log) ? readFileSync(log, 'utf8') : '').split('\n')) {
      const [kind, key = '', version = '', length] = line.split(' ')
      if (kind === 'try') {
        const state = length === 'absent' ? 'absent' : `${version}:${length}`
        changes.set(key, [...(changes.get(key) ?? []), { version, state }])
      } else if (kind === 'ack') {
        const own = changes.get(key) ?? []
        acknowledged.add(key)
        changes.set(key, own.slice(own.findIndex((change) => change.version === version)))
      }
    }
    for (const [key, own] of changes) {
      states.set(key, new Set([...(states.get(key) ?? []), ...own.map(({ state }) => state)]))
    }
  }
  for (let i = 0; i < KEYS; i++) {
    const key = `k${i}`
    if (!acknowledged.has(key)) states.set(key, new Set([...(states.get(key) ?? []), before.get(key) ?? 'absent']))
  }
  return states
}

it(`kill-9: ${ROUNDS} rounds of two processes: every acknowledged change is there, nothing is half there`, async () => {
  const path = join(folder, 'segments')
  let actual = new Map<string, string>()
  let bases = 0
  for (let round = 0; round < ROUNDS; round++) {
    const logs = [0, 1].map((i) => join(folder, `log-${round}-${i}`))
    const basesNow = (): number => readdirSync(path).filter((name) => name.startsWith('base-')).length
    // In the last round they live until it was compacted, however busy the machine is.
    await killed(path, logs, round, () => round < ROUNDS - 1 || bases + basesNow() > 0)
    bases += basesNow()
    const states = expectedStates(logs, actual)
    const tide = createTidemark({ tiers: [jsonl({ path })] })
    const damaged: unknown[] = []
    tide.on('event', (event) => event.type === 'corrupt' && damaged.push(event))
    const users = tide.resource<string, string>({
      name: 'users',
      load: async () => 'LOADED',
      freshness: untilInvalidated(),
    })
    actual = new Map()
    for (let i = 0; i < KEYS; i++) {
      const value = await users.get(`k${i}`)
      if (value === 'LOADED') await users.delete(`k${i}`)
      const [version, rest] = value.split(':')
      const state = value === 'LOADED' ? 'absent' : `${version}:${rest?.length}`
      expect([...(states.get(`k${i}`) ?? [])], `round ${round}, k${i}`).toContain(state)
      actual.set(`k${i}`, state)
    }
    // A torn line is ended by the next append, and counted then; there are no others.
    expect(damaged.length, `round ${round}: ${JSON.stringify(damaged)}`).toBeLessThanOrEqual(2 * (round + 1))
    await tide.close()
    const left = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.tmp-'))
    expect(left, `round ${round}`).toEqual([])
  }
  expect(bases, 'it was compacted meanwhile').toBeGreaterThan(0)
}, 600_000)
