import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How long a piece of work took, and how long it ever kept the event loop, in milliseconds. */
export interface Watched<T> {
  readonly result: T
  readonly tookMs: number
  readonly stallMs: number
}

/** Does work and watches the event loop meanwhile. */
export async function watched<T>(work: () => Promise<T>): Promise<Watched<T>> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  // The first turn is not the work's.
  await new Promise((resolve) => setTimeout(resolve, 5))
  delay.enable()
  const began = performance.now()
  const result = await work()
  const tookMs = performance.now() - began
  // A stall is counted when it is over.
  await new Promise((resolve) => setTimeout(resolve, 5))
  delay.disable()
  return { result, tookMs, stallMs: Math.max(0, delay.max / 1e6 - 1) }
}
