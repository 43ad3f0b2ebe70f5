import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, it } from 'vitest'
import { run } from './run.ts'
import type { StackKind } from './stacks.ts'
import { coherence, schedule } from './steps.ts'

const RUNS = Number(process.env['MODEL_RUNS'] ?? 170)
/** Without MODEL_RUNS the same schedules each time: a change is judged by what it changes, new ones are looked for at night. */
const DAILY_SEED = 20_300_101
const SEED = Number(process.env['MODEL_SEED'] ?? (process.env['MODEL_RUNS'] === undefined ? DAILY_SEED : Date.now()))
/** A schedule takes a tenth of that on a machine that is not busy. On one that is, fewer of them run. */
const RUN_MS = 250
/** For what is under way when time is up. */
const REST_MS = 60_000

/**
 * Tests each stack by random schedules. MODEL_RUNS sets how many run over each, new ones each time (default: the same
 * 170); MODEL_SEED repeats those of a failure, which prints it.
 */
export function checkStacks(kinds: readonly StackKind[]): void {
  // In memory where that can be had: what a disk does is not what is looked at here, and thousands of files are made.
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'tidemark-model-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  let places = 0

  it.for(kinds)(
    `$title: ${RUNS} schedules: nothing that was changed is seen again, all calls end, counts add up, nothing is left`,
    { timeout: RUNS * RUN_MS + REST_MS },
    async (kind) => {
      const endAt = performance.now() + RUNS * RUN_MS
      const property = fc.asyncProperty(schedule, coherence, fc.nat(), async (steps, coherent, seed) => {
        // Also ends the search for a smaller counterexample, so that the one there is gets printed.
        if (performance.now() > endAt) return
        const place = join(folder, String(++places))
        mkdirSync(place)
        try {
          await run({ kind, folder: place, coherence: coherent, seed, steps })
        } finally {
          rmSync(place, { recursive: true })
        }
      })
      await fc.assert(property, { numRuns: RUNS, seed: SEED | 0 })
    },
  )
}
