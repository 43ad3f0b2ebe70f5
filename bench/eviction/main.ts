// `npm run sim`: every point of the eviction simulator, then the policies over all of them.

import { EVICTIONS } from '../../src/tier/memory/eviction/eviction.ts'
import { NO_TRACES, points, summaries, type Point } from './eviction.ts'

const all: Point[] = []
for (const point of points()) {
  all.push(point)
  const cells = EVICTIONS.map((eviction) => `${eviction} ${point.hits[eviction].toFixed(1)}`.padEnd(14))
  console.log(`${point.trace.padEnd(12)} ${String(point.entries).padStart(7)} entries   ${cells.join(' ')}`)
}
if (all.length === 0) console.log(NO_TRACES)
else {
  console.log(`\nmean of ${all.length} points, the gain over LRU, and the worst point`)
  for (const { eviction, mean, gain, worst } of summaries(all)) {
    console.log(`${eviction.padEnd(8)} ${mean.toFixed(1)} %   ${gain.toFixed(2)}   worst ${worst.toFixed(2)} points`)
  }
}
