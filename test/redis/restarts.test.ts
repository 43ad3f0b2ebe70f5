// Four processes over one Redis that is killed and started empty, frozen, and refused again and again. Each read is checked
// against what the source had when the last change had resolved; see test/soak/soak-main.ts.

import { fork, type ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { testFolder } from '../folder.ts'
import { redisPlace } from '../process/place.ts'
import { requireProgram } from '../services.ts'
import { pause } from './app.ts'
import { SERVER_PROGRAMS, startServer } from './server.ts'

const MAIN = fileURLToPath(new URL('../soak/soak-main.ts', import.meta.url))
const PROCESSES = 4
const ROUNDS = 6
const folder = testFolder()

interface Report {
  readonly reads: number
  readonly changes: number
  readonly stale: number
  readonly errors: readonly string[]
}

requireProgram(SERVER_PROGRAMS, (program) => {
  it('strict: nothing stale, no error, whatever becomes of Redis', { timeout: 120_000 }, async () => {
    const server = await startServer(program)
    const truth = join(folder, 'truth')
    writeFileSync(truth, Buffer.alloc(40 * 24))
    const reports: Report[] = []
    const children: ChildProcess[] = Array.from({ length: PROCESSES }, (_, index) => {
      const child = fork(MAIN, [redisPlace(server.url, 'tidemark'), truth, String(index), 'strict'], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      child.on('message', (report: Report) => (reports[index] = report))
      return child
    })
    onTestFinished(() => children.forEach((child) => void child.kill('SIGKILL')))
    for (let round = 0; round < ROUNDS; round++) {
      await pause(800)
      if (round % 2 === 0) await server.restart()
      else {
        server.freeze()
        await pause(300)
        server.thaw()
      }
    }
    await pause(1_500)
    const sum = (of: (report: Report) => number): number => reports.reduce((total, it) => total + of(it), 0)
    // Enough to say something: a busy machine takes longer for it.
    await expect.poll(() => sum((it) => it.reads), { timeout: 40_000 }).toBeGreaterThan(1_000)
    await expect.poll(() => sum((it) => it.changes), { timeout: 40_000 }).toBeGreaterThan(50)
    console.log({ reads: sum((it) => it.reads), changes: sum((it) => it.changes), stale: sum((it) => it.stale) })
    expect(reports.flatMap(({ errors }) => errors)).toEqual([])
    expect(sum((it) => it.stale)).toBe(0)
  })
})
