// Contract C3, `kill-9`, of artifacts: processes are killed before every step of every change, and at random points. What was
// acknowledged is there, nothing is half there, and no temporary file is left after the next open.
// CRASH_ROUNDS sets how often at random (default 25).

import { execFile, fork, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { testFolder } from '../folder.ts'
import { CHANGES, NOTE, OTHER, prepare, stateOf, type State } from './changes.ts'
import { fileOf, openStore } from './open.ts'

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 25)
const AT_ONCE = 3
const at = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const folder = testFolder()

/** Runs a change and kills it before a step. Resolves to the number of its steps, or `undefined` when it was killed. */
function killedAtStep(root: string, change: string, step: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      ['--no-warnings', at('step-main.ts'), root, change, String(step)],
      (error, out, said) => {
        if (error?.signal === 'SIGKILL') resolve(undefined)
        else if (error || out === '') reject(new Error(`${change}, step ${step}: ${error?.message} ${said}`))
        else resolve(Number(out))
      },
    )
  })
}

function leftovers(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(tmp|commit|gone)-/.test(name))
}

async function prepared(root: string, change: string): Promise<void> {
  await using store = openStore(root)
  await prepare(store, change)
  expect(await stateOf(store)).toEqual(CHANGES[change]?.before)
}

/** How many steps a change has when nobody kills it. */
async function stepsOf(change: string): Promise<number> {
  const root = join(folder, `${change.replaceAll(' ', '-')}-whole`)
  await prepared(root, change)
  const steps = (await killedAtStep(root, change, Number.MAX_SAFE_INTEGER)) ?? 0
  await using store = openStore(root)
  expect(await stateOf(store), 'what was acknowledged').toEqual(CHANGES[change]?.after)
  return steps
}

/** Runs something for every step of a change, a few at a time: most of it is waiting for processes to start. */
async function forEveryStep(change: string, run: (step: number, root: string) => Promise<void>): Promise<void> {
  const steps = await stepsOf(change)
  expect(steps).toBeGreaterThan(10)
  let next = 1
  const worker = async (): Promise<void> => {
    while (next <= steps) {
      const step = next++
      const root = join(folder, `${change.replaceAll(' ', '-')}-${step}`)
      await prepared(root, change)
      await run(step, root)
      rmSync(root, { recursive: true })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

describe('kill-9 before every step', () => {
  it.for(Object.keys(CHANGES))('%s: the old or the new, whole', { timeout: 240_000 }, async (change) => {
    const { before, after } = CHANGES[change] as { before: State; after: State }
    const seen = { before: 0, after: 0 }
    await forEveryStep(change, async (step, root) => {
      expect(await killedAtStep(root, change, step), 'it was killed').toBeUndefined()
      await using store = openStore(root)
      const state = await stateOf(store)
      const where = `${change}, killed before step ${step}`
      expect([before, after], where).toContainEqual(state)
      seen[JSON.stringify(state) === JSON.stringify(after) ? 'after' : 'before']++
      const { artifacts } = await store.notes.list()
      expect(leftovers(root), where).toEqual([])
      expect((await store.notes.verify()).findings, where).toEqual([])
      const other = await store.notes.open(OTHER.folder, OTHER.filename)
      expect(Buffer.from((await other?.bytes()) ?? []).toString(), where).toBe(fileOf(['other']))
      const listed = artifacts.find(({ filename }) => filename === NOTE.filename)
      expect(listed?.sha256, where).toBe((await store.notes.open(NOTE.folder, NOTE.filename))?.sha256)
    })
    // Both happen, or the steps were not those of the change.
    expect(seen.before).toBeGreaterThan(1)
    expect(seen.after).toBeGreaterThan(1)
  })

  it('what a dead process left is completed by the next writer, without an open', { timeout: 240_000 }, async () => {
    const change = 'save over it'
    await forEveryStep(change, async (step, root) => {
      await using store = openStore(root)
      await store.notes.list()
      await killedAtStep(root, change, step)
      // What the dead process had begun never undoes what is written after it.
      await store.notes.save(NOTE, ['newer'])
      await store.close()
      await using next = openStore(root)
      expect((await stateOf(next))?.text, `step ${step}`).toBe(fileOf(['newer']))
      expect(leftovers(root), `step ${step}`).toEqual([])
    })
  })
})

interface Expected {
  /** What may be there: after the last acknowledged change, or after the one that was not. */
  readonly possible: Set<string>
}

/** For every note the states that are right. Changes ran one after the other, so only the last may be unacknowledged. */
function expectedOf(log: string, before: ReadonlyMap<string, string>): Map<string, Expected> {
  const states = new Map([...before].map(([name, state]) => [name, { possible: new Set([state]) }]))
  const lines = log.split('\n').filter((line) => line !== '')
  const acked = new Set(lines.filter((line) => line.startsWith('ack ')).map((line) => line.slice(4)))
  for (const line of lines.filter((it) => it.startsWith('try '))) {
    const [, n = '', name = '', kind, size] = line.split(' ')
    const [old = 'absent'] = states.get(name)?.possible ?? []
    const [text, review] = old.split(' ')
    const next =
      kind === 'delete'
        ? 'absent'
        : kind === 'save'
          ? `${n}:${size} ${old === 'absent' ? '-' : review}`
          : old === 'absent'
            ? 'absent'
            : `${text} ${n}`
    states.set(name, { possible: acked.has(n) ? new Set([next]) : new Set([old, next]) })
  }
  return states
}

async function started(root: string, log: string, seed: number, prefix: string): Promise<ChildProcess> {
  const child = fork(at('crash-main.ts'), [root, log, String(seed), prefix], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  await new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', (code) => reject(new Error(`It ended with ${code} before it began.`)))
  })
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await gone
}

it(`kill-9 at random: ${ROUNDS} rounds of two processes on one store`, async () => {
  const root = join(folder, 'random')
  let actual = new Map<string, string>()
  let changes = 0
  for (let round = 0; round < ROUNDS; round++) {
    const logs = ['a', 'b'].map((prefix) => join(folder, `log-${round}-${prefix}`)) as [string, string]
    const [a, b] = await Promise.all([
      started(root, logs[0], 1000 + round, 'a'),
      started(root, logs[1], 5000 + round, 'b'),
    ])
    const areAtWork = (): boolean => logs.every((log) => existsSync(log) && readFileSync(log, 'utf8').includes('ack '))
    while (!areAtWork()) await new Promise((resolve) => setTimeout(resolve, 1))
    await new Promise((resolve) => setTimeout(resolve, (round * 37) % 90))
    await killed(a)
    await new Promise((resolve) => setTimeout(resolve, 5 + ((round * 13) % 40)))
    await killed(b)
    const text = logs.map((log) => (existsSync(log) ? readFileSync(log, 'utf8') : '')).join('')
    // The numbers of the two begin alike: each log is read by itself.
    const expected = new Map(
      logs.flatMap((log, i) => {
        const own = new Map([...actual].filter(([name]) => name.startsWith(i === 0 ? 'a' : 'b')))
        return [...expectedOf(existsSync(log) ? readFileSync(log, 'utf8') : '', own)]
      }),
    )
    changes += text.split('ack ').length - 1
    await using store = openStore(root)
    actual = new Map()
    const where = `round ${round}`
    for (const [name, { possible }] of expected) {
      const file = await store.notes.open('unit-7', name)
      const [, n, body = ''] = file
        ? Buffer.from(await file.bytes())
            .toString()
            .split('\n')
        : []
      const review = (file?.review as { n?: number } | undefined)?.n ?? '-'
      const state = file ? `${n}:${body.length} ${review}` : 'absent'
      expect([...possible], `${where}, ${name}`).toContain(state)
      actual.set(name, state)
    }
    expect((await store.notes.verify()).findings, where).toEqual([])
    expect(leftovers(root), where).toEqual([])
  }
  expect(changes).toBeGreaterThan(ROUNDS)
}, 900_000)
