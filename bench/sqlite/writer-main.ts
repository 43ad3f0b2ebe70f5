// One of several processes that write to one file; see processes.ts.

import { memory, sqlite } from 'tidemark'
import { itemOf, keyOf } from '../item.ts'
import { openCache } from './cache.ts'
import type { WriterReport, WriterTask } from './processes.ts'
import { RawDatabase } from './raw.ts'

const KEYS = 10_000
const AT_ONCE = 100
const task = JSON.parse(process.argv[2] as string) as WriterTask
const report = task.kind === 'raw' ? await writeRaw() : await writeCache()
process.send?.(report, () => process.exit())

async function writeRaw(): Promise<WriterReport> {
  const raw = new RawDatabase(task.path)
  const written = await during((n) => raw.set(keyOf(n % KEYS), itemOf(n % KEYS, n)), 1)
  raw.close()
  return written
}

async function writeCache(): Promise<WriterReport> {
  const { tide, units } = openCache([memory({ maxEntries: KEYS }), sqlite({ path: task.path })])
  // A set that a tier could not take is no error of the caller's: the tier says so by its state.
  let failures = 0
  tide.on('event', (event) => {
    if (event.type === 'tier-failed' && event.operation === 'put') failures++
  })
  const written = await during(
    (from) =>
      Promise.all(
        Array.from({ length: AT_ONCE }, (_, i) =>
          units.set(keyOf((from + i) % KEYS), itemOf((from + i) % KEYS, from + i)),
        ),
      ),
    AT_ONCE,
  )
  await tide.close()
  return { ...written, failures }
}

async function during(write: (from: number) => unknown, step: number): Promise<WriterReport> {
  let [writes, failures, longestMs] = [0, 0, 0]
  const endAt = performance.now() + task.writeMs
  for (let now = performance.now(); now < endAt;) {
    try {
      await write(task.seed * 1_237 + writes)
      writes += step
    } catch {
      failures++
    }
    const after = performance.now()
    longestMs = Math.max(longestMs, after - now)
    now = after
  }
  return { writes, failures, longestMs }
}
