// Contract C3, `kill-9`: a process is killed at random points; what it acknowledged is there, nothing is half there.
// CRASH_ROUNDS sets how often (default 25). The seed of a round is in its message.

import { fork } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { createTidemark, sqlite, untilInvalidated } from 'tidemark'
import { testFolder } from '../folder.ts'

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 25)
const MAIN = fileURLToPath(new URL('crash-main.ts', import.meta.url))
const folder = testFolder()

const KEYS = 20

/** What a key may hold: the length-prefixed value of a set, or nothing. */
type State = string

async function killedAfter(path: string, log: string, seed: number, ms: number): Promise<void> {
  const child = fork(MAIN, [path, log, String(seed)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  await new Promise((resolve) => child.once('message', resolve))
  await new Promise((resolve) => setTimeout(resolve, ms))
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

interface Change {
  readonly concerns: (key: string) => boolean
  readonly state: State
  acked: boolean
}

/**
 * For every key, all states that are right. Changes of one group ran side by side and may have landed in any order; the
 * groups ran one after the other, so only the last one can have changes that were not acknowledged.
 */
function expectedStates(log: string, before: ReadonlyMap<string, State>): Map<string, Set<State>> {
  const groups = new Map<string, Change[]>()
  const byNumber = new Map<string, Change>()
  for (const line of log.split('\n')) {
    const words = line.split(' ')
    if (words[0] === 'ack') (byNumber.get(words[1] as string) as Change).acked = true
    if (words[0] !== 'try') continue
    const [, group, n, kind, target, length] = words as [string, string, string, string, string, string?]
    const concerns = (key: string): boolean =>
      kind === 'scope' ? `s${Number(key.slice(1)) % 3}` === target : key === target
    const change: Change = { concerns, state: kind === 'set' ? `${n}:${length}` : 'absent', acked: false }
    byNumber.set(n, change)
    groups.set(group, [...(groups.get(group) ?? []), change])
  }
  const states = new Map(Array.from({ length: KEYS }, (_, i) => [`k${i}`, new Set([before.get(`k${i}`) ?? 'absent'])]))
  for (const changes of groups.values()) {
    for (const [key, possible] of states) {
      const own = changes.filter((change) => change.concerns(key))
      if (own.some((change) => change.acked)) possible.clear()
      for (const change of own) possible.add(change.state)
    }
  }
  return states
}

it(`kill-9: ${ROUNDS} rounds: every acknowledged write is there, nothing else is half there`, async () => {
  const path = join(folder, 'cache.db')
  const log = join(folder, 'log')
  let actual = new Map<string, State>()
  for (let round = 0; round < ROUNDS; round++) {
    const roundLog = `${log}-${round}`
    const seed = 1_000 + round
    await killedAfter(path, roundLog, seed, 5 + ((round * 37) % 60))
    const states = expectedStates(existsSync(roundLog) ? readFileSync(roundLog, 'utf8') : '', actual)
    const tide = createTidemark({ tiers: [sqlite({ path })] })
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
      const state = value === 'LOADED' ? 'absent' : `${value.split(':')[0]}:${value.length}`
      expect([...(states.get(`k${i}`) ?? [])], `round ${round} (seed ${seed}), key k${i}`).toContain(state)
      actual.set(`k${i}`, state)
    }
    expect(damaged, `round ${round} (seed ${seed})`).toEqual([])
    await tide.close()
    expect(leftovers(folder), `round ${round} (seed ${seed})`).toEqual([])
  }
}, 600_000)

function leftovers(path: string): string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.tmp-'))
}
