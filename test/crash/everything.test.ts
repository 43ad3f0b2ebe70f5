// Contract C3, `kill-9`, over segments and a file at once: a process that sets, removes, ends eras, sweeps, compacts and seals
// anew is killed at random points. What was acknowledged is there and opens, nothing is half there, no era is mixed, nothing is
// left lying about. CRASH_ROUNDS sets how often (default 10).

import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import type { TidemarkEvent } from 'tidemark'
import { keyring } from 'tidemark/seal'
import { testFolder } from '../folder.ts'
import { pause, until } from '../redis/app.ts'
import { GROUPS, openAll, type Everything } from './everything.ts'

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 10)
const MAIN = fileURLToPath(new URL('everything-main.ts', import.meta.url))
/** Versions of different rounds never meet. */
const ROUND_VERSIONS = 1_000_000
const folder = testFolder()
const keys = { a: randomBytes(32).toString('base64'), b: randomBytes(32).toString('base64') }

/** A process that is killed so long after it was seen at work. */
async function killedAfter(
  path: string,
  log: string,
  from: number,
  ms: number,
  isAtWork: () => boolean,
): Promise<void> {
  const child = fork(MAIN, [path, log, String(from), keys.a, keys.b], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', (code) => reject(new Error(`It ended with ${code} before it began.`)))
  })
  await until(isAtWork, 60_000)
  await pause(ms)
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

/** What may be under each key, and which lives the unit's memory may be of. */
interface Possible {
  readonly states: Map<string, Set<string>>
  readonly lives: Set<number>
}

/**
 * Of a group the last change may not have been acknowledged: then what was before it is as right as what it brings. A clear
 * of the group is one change of each of its keys, and may have reached some of them only.
 */
function possibleAfter(log: string, before: ReadonlyMap<string, string>, life: number): Possible {
  const states = new Map([...before].map(([key, state]) => [key, new Set([state])]))
  const lives = new Set([life])
  const pending = new Map<string, readonly (readonly [key: string, state: string])[]>()
  for (const line of log.split('\n')) {
    const [group = '', word, kind = '', key = '', version = '', length = ''] = line.split(' ')
    if (group === 'era' && word === 'try') lives.add(Number(kind))
    else if (group === 'era' && word === 'ack') {
      lives.clear()
      lives.add(Number(kind))
    } else if (word === 'try') {
      const state = kind === 'set' ? `${version}:${length}` : 'absent'
      const concerned = kind === 'clear' ? (GROUPS[group] ?? []) : [key]
      pending.set(
        group,
        concerned.map((it) => [it, state] as const),
      )
      for (const it of concerned) states.get(it)?.add(state)
    } else if (word === 'ack') {
      for (const [it, state] of pending.get(group) ?? []) states.set(it, new Set([state]))
    }
  }
  return { states, lives }
}

const stateOf = async ({ vault }: Everything, key: string): Promise<string> => {
  const stored = await vault.stored(key)
  const [version, rest] = stored?.token.split(':') ?? []
  return stored === undefined ? 'absent' : `${version}:${rest?.length}`
}

it(`kill-9: ${ROUNDS} rounds of everything at once, in segments and a file`, { timeout: 900_000 }, async () => {
  const path = join(folder, 'data')
  mkdirSync(path)
  const all = Object.values(GROUPS).flat()
  let actual = new Map(all.map((key) => [key, 'absent']))
  let life = 0
  const seen = { acknowledged: 0, eras: 0, bases: 0 }
  for (let round = 0; round < ROUNDS; round++) {
    const where = `round ${round}`
    const log = join(folder, `log-${round}`)
    const textNow = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '')
    const bases = (): number => readdirSync(join(path, 'segments')).filter((name) => name.startsWith('base-')).length
    // In the last round it lives until all has happened at least once.
    const isLast = round === ROUNDS - 1
    const isAtWork = (): boolean =>
      textNow().split(' ack ').length > 5 && (!isLast || (textNow().includes('era ack') && bases() > 0))
    await killedAfter(path, log, (round + 1) * ROUND_VERSIONS, (round * 53) % 180, isAtWork)
    const text = textNow()
    expect(text, where).not.toContain('lost')
    seen.acknowledged += text.split(' ack ').length - 1
    seen.eras += text.split('era ack').length - 1
    seen.bases += bases()
    const possible = possibleAfter(text, actual, life)

    const everything = openAll(path, keyring({ active: 'a', keys }), () => 0)
    const { tide, vault, waves } = everything
    const wrong: TidemarkEvent[] = []
    tide.on('event', (event) => {
      // The line the process was writing when it was killed is counted; it is of no key.
      const isTorn = event.type === 'corrupt' && event.tier === 'jsonl'
      if (event.type === 'unopened' || event.type === 'tier-failed' || (event.type === 'corrupt' && !isTorn))
        wrong.push(event)
    })
    actual = new Map()
    for (const key of all) {
      const state = await stateOf(everything, key)
      expect([...(possible.states.get(key) ?? [])], `${where}, ${key}`).toContain(state)
      actual.set(key, state)
    }
    const lives = new Set<number>()
    for (const index of [0, 1, 2]) {
      const wave = await waves.stored(['unit', index])
      if (wave) lives.add(wave.life)
    }
    expect(lives.size, `${where}: items of one era, or none: ${[...lives].join(', ')}`).toBeLessThanOrEqual(1)
    for (const it of lives) expect([...possible.lives], where).toContain(it)
    life = [...lives][0] ?? 0
    expect(wrong, where).toEqual([])
    // One tier may have what was under way and the other not: from here on both have the same.
    for (const key of all.filter((it) => (possible.states.get(it)?.size ?? 0) > 1)) {
      await vault.delete(key)
      actual.set(key, 'absent')
    }
    if (possible.lives.size > 1) {
      await tide.era('era').renew('unit')
      life = 0
    }
    expect(await tide.rekey(), where).toMatchObject({ unknown: 0, damaged: 0, failed: 0 })
    await tide.close()
    const left = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.tmp-'))
    expect(left, where).toEqual([])
  }
  console.log(JSON.stringify(seen))
  expect(seen.eras).toBeGreaterThan(0)
  expect(seen.bases, 'segments were compacted meanwhile').toBeGreaterThan(0)

  const last = openAll(path, keyring({ active: 'a', keys: { a: keys.a } }), () => 0)
  for (const key of all) expect(await stateOf(last, key), `under one key, ${key}`).toBe(actual.get(key))
  await last.tide.close()
})
