import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import { median } from '../rounds.ts'

const RUNS = 25

/** How many bytes a piece of work puts on the heap. It must be small enough that no collection falls into it. */
export async function allocatedBytes(work: () => unknown): Promise<number> {
  let collections = 0
  const observer = new PerformanceObserver((list) => (collections += list.getEntries().length))
  observer.observe({ entryTypes: ['gc'] })
  const grown: number[] = []
  for (let run = 0; run < RUNS; run++) {
    await collect()
    const seen = collections
    const before = getHeapStatistics().used_heap_size
    await work()
    const after = getHeapStatistics().used_heap_size
    // The observer is told in a later turn.
    await new Promise((resolve) => setTimeout(resolve, 1))
    if (collections === seen) grown.push(after - before)
  }
  observer.disconnect()
  return median(grown)
}

/** Collects, and lets the observer hear of it. */
async function collect(): Promise<void> {
  if (!globalThis.gc) throw new Error('Run with --expose-gc.')
  globalThis.gc()
  await new Promise((resolve) => setTimeout(resolve, 2))
}
