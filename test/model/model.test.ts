// Random schedules of several processes over every stack, in virtual time and in every trouble, against an oracle that knows
// what nobody may see any more. MODEL_RUNS sets how many schedules run over each stack; a failure prints its seed and path.

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, it } from 'vitest'
import { run } from './run.ts'
import { STACK_KINDS } from './stacks.ts'
import { coherence, schedule } from './steps.ts'

const RUNS = Number(process.env['MODEL_RUNS'] ?? 200)
const SEED = process.env['MODEL_SEED'] === undefined ? undefined : Number(process.env['MODEL_SEED'])
/** For one schedule, and much room for a busy machine. */
const RUN_MS = 250
/** In memory where that can be had: what a disk does is not what is looked at here, and thousands of files are made. */
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'tidemark-model-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let places = 0

it.for(STACK_KINDS)(
  `$title: ${RUNS} schedules: nothing that was changed is seen again, all calls end, counts add up, nothing is left`,
  { timeout: 60_000 + RUNS * RUN_MS },
  async (kind) => {
    const property = fc.asyncProperty(schedule, coherence, fc.nat(), async (steps, coherent, seed) => {
      const place = join(folder, String(++places))
      mkdirSync(place)
      try {
        await run({ kind, folder: place, coherence: coherent, seed, steps })
      } finally {
        rmSync(place, { recursive: true })
      }
    })
    await fc.assert(property, {
      numRuns: RUNS,
      endOnFailure: process.env['NOSHRINK'] === '1',
      ...(SEED === undefined ? {} : { seed: SEED }),
    })
  },
)
