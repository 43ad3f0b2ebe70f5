// Eight processes over one Redis of the test's own, which is killed, emptied, frozen, and cut off behind a proxy while they
// read, load, set and invalidate. SOAK_SECONDS sets how long (default 3: three troubles). Nobody sees anything older than
// what they changed themselves; when it is over everyone sees what everyone changed, and no process had to be started anew.

import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { testFolder } from '../folder.ts'
import { pause, until } from '../redis/app.ts'
import { startProxy, type Proxy } from '../redis/proxy.ts'
import { SERVER_PROGRAMS, startServer, type PrivateServer } from '../redis/server.ts'
import { requireProgram } from '../services.ts'
import { Truth } from './truth.ts'

const SECONDS = Number(process.env['SOAK_SECONDS'] ?? 3)
const MAIN = fileURLToPath(new URL('redis-main.ts', import.meta.url))
const PROCESSES = 8
const KEYS = 80
const BUDGET_MS = 250
/** So long a trouble lasts: several budgets, so that every tier is taken out of use. */
const TROUBLE_MS = 1_200
/** Probes are at most 30 s apart, and a machine with more processes than cores takes its time. */
const RECOVERED_WITHIN_MS = 90_000
const folder = testFolder()

interface Status {
  readonly state: string
  readonly reason: string
  readonly journaled: number
  readonly loading: number
}

interface Figures {
  readonly reads: number
  readonly loads: number
  readonly changes: number
  readonly staleOwn: number
  readonly tierFailures: number
  readonly errors: readonly string[]
  readonly tookMs: readonly number[]
  readonly lateMs: readonly number[]
}

/** One process, asked by messages. */
class Worker {
  readonly ready: Promise<void>
  readonly child: ChildProcess
  readonly #calls = new Map<number, (value: unknown) => void>()
  #id = 0

  constructor(...args: string[]) {
    this.child = fork(MAIN, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.ready = promise
    this.child.once('exit', (code) => reject(new Error(`It ended with ${code} before it began.`)))
    this.child.on('message', (message: { ready?: true; id: number; value: unknown }) => {
      if (message.ready) return resolve()
      this.#calls.get(message.id)?.(message.value)
      this.#calls.delete(message.id)
    })
  }

  call<T>(method: string): Promise<T> {
    const id = ++this.#id
    return new Promise((resolve) => {
      this.#calls.set(id, resolve as (value: unknown) => void)
      this.child.send({ id, method })
    })
  }
}

type Trouble = readonly [string, (server: PrivateServer, proxy: Proxy) => Promise<void>]

/** Each begins, lasts and ends. */
const TROUBLES: readonly Trouble[] = [
  [
    'killed, restarted empty',
    async (server) => {
      await server.stop()
      await pause(TROUBLE_MS)
      await server.start()
    },
  ],
  [
    'frozen',
    async (server) => {
      server.freeze()
      await pause(TROUBLE_MS)
      server.thaw()
    },
  ],
  [
    'partitioned',
    async (_, proxy) => {
      proxy.silence()
      await pause(TROUBLE_MS)
      proxy.speak()
    },
  ],
  [
    'refused, and emptied meanwhile',
    async (server, proxy) => {
      await proxy.refuse()
      await pause(TROUBLE_MS)
      await server.command('FLUSHALL')
      await proxy.listen()
    },
  ],
]
/** By default these are enough: each trouble for half of the processes or more, and no file of tests for long. */
const ROUNDS_MIN = 3

function percentile(tookMs: readonly number[], share: number): number {
  const total = tookMs.reduce((sum, n) => sum + n, 0)
  let seen = 0
  return tookMs.findIndex((n) => (seen += n) >= total * share)
}

requireProgram(SERVER_PROGRAMS, (program) => {
  it(
    `slow-reset-partitioned-redis, bus-loss-duplicate-reorder: eight processes, ${SECONDS} s`,
    { timeout: SECONDS * 1_000 + 300_000 },
    async () => {
      const server = await startServer(program)
      const proxy = await startProxy(server.port)
      const truth = join(folder, 'truth')
      Truth.make(truth, KEYS)
      // Every other one goes through the proxy, every other pair looks on every read.
      const workers = Array.from(
        { length: PROCESSES },
        (_, i) =>
          new Worker(String(i % 2 ? proxy.port : server.port), truth, String(i), (i >> 1) % 2 ? 'strict' : 'eventual'),
      )
      onTestFinished(() => workers.forEach(({ child }) => void child.kill('SIGKILL')))
      await Promise.all(workers.map(({ ready }) => ready))
      const all = <T>(method: string): Promise<T[]> => Promise.all(workers.map((worker) => worker.call<T>(method)))
      const recovered = (): Promise<number> =>
        until(
          async () => (await all<Status>('status')).every(({ state, journaled }) => state === 'up' && journaled === 0),
          RECOVERED_WITHIN_MS,
        )
      await recovered()

      const recoveredMs: number[] = []
      const caughtUpMs: number[] = []
      const endAt = performance.now() + SECONDS * 1_000
      let round = 0
      for (; round < ROUNDS_MIN || performance.now() < endAt; round++) {
        const [what, happens] = TROUBLES[round % TROUBLES.length] as Trouble
        await pause(200)
        await happens(server, proxy)
        await all('pause')
        recoveredMs.push(await recovered())
        // Nothing changes any more: within the time messages, or the next look, take, everyone sees all of it.
        let stale: number[][] = []
        caughtUpMs.push(
          await until(async () => {
            stale = await all<number[]>('staleKeys')
            return stale.every(({ length }) => length === 0)
          }, 10_000).catch(() => {
            throw new Error(`round ${round}, ${what}: still stale by process: ${JSON.stringify(stale)}`)
          }),
        )
        // And it stays so.
        expect(await all('staleKeys'), `round ${round}, ${what}`).toEqual(workers.map(() => []))
        await all('resume')
      }

      await all('pause')
      await recovered()
      await until(async () => (await all<Status>('status')).every(({ loading }) => loading <= 4))
      const figures = await all<Figures>('figures')
      const sum = (of: (it: Figures) => number): number => figures.reduce((total, it) => total + of(it), 0)
      const added = (of: (it: Figures) => readonly number[]): number[] =>
        of(figures[0] as Figures).map((_, ms) => sum((it) => of(it)[ms] as number))
      const [tookMs, lateMs] = [added((it) => it.tookMs), added((it) => it.lateMs)]
      const [p99, lateP99] = [percentile(tookMs, 0.99), percentile(lateMs, 0.99)]
      console.log(
        JSON.stringify({
          rounds: round,
          reads: sum((it) => it.reads),
          loads: sum((it) => it.loads),
          changes: sum((it) => it.changes),
          tierFailures: sum((it) => it.tierFailures),
          staleOwn: sum((it) => it.staleOwn),
          p50Ms: percentile(tookMs, 0.5),
          p99Ms: p99,
          lateP99Ms: lateP99,
          maxMs: tookMs.findLastIndex((n) => n > 0),
          recoveredMs: Math.round(Math.max(...recoveredMs)),
          caughtUpMs: Math.round(Math.max(...caughtUpMs)),
        }),
      )
      expect(figures.flatMap(({ errors }) => errors)).toEqual([])
      expect(sum((it) => it.staleOwn)).toBe(0)
      // On a machine with more processes than cores everything is as late as a timer is.
      expect(p99).toBeLessThan(2 * BUDGET_MS + lateP99)
      expect(
        sum((it) => it.tierFailures),
        'there was trouble',
      ).toBeGreaterThan(0)
      expect(sum((it) => it.changes)).toBeGreaterThan(round * PROCESSES)
      expect(
        workers.map(({ child }) => child.exitCode ?? child.signalCode),
        'none had to be started anew',
      ).toEqual(workers.map(() => null))
    },
  )
})
