// The default eviction is argued on traces. They are third-party data: without them this file says so.

import { expect, it } from 'vitest'
import { hitPercent, sizesOf } from '../bench/eviction/simulate.ts'
import { readTraces, tracesFolder } from '../bench/eviction/trace.ts'

const folder = tracesFolder()
if (folder === undefined)
  console.warn('The eviction traces are not here: set TRACES_DIR to check the default against LRU.')

it.runIf(folder !== undefined)(
  'over real traces the default beats LRU by 4 points on average and never falls behind by 1',
  { timeout: 120_000 },
  () => {
    const gains = readTraces(folder as string).flatMap((trace) =>
      sizesOf(trace).map((size) => ({
        trace: trace.name,
        size,
        gain: hitPercent(trace, 's3-fifo', size) - hitPercent(trace, 'lru', size),
      })),
    )
    const mean = gains.reduce((sum, { gain }) => sum + gain, 0) / gains.length
    const worst = gains.toSorted((a, b) => a.gain - b.gain)[0]
    console.log(
      `eviction: ${gains.length} points, mean gain ${mean.toFixed(2)}, worst ${worst?.gain.toFixed(2)} (${worst?.trace}, ${worst?.size})`,
    )
    expect(mean).toBeGreaterThanOrEqual(4)
    expect(worst?.gain).toBeGreaterThanOrEqual(-1)
  },
)
