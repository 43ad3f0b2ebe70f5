import { monitorEventLoopDelay } from 'node:perf_hooks'

/** Measures the longest time the event loop was held up while `work` ran, in milliseconds. */
export async function longestStallMs(work: () => Promise<unknown>): Promise<number> {
  const monitor = monitorEventLoopDelay({ resolution: 1 })
  monitor.enable()
  await work()
  monitor.disable()
  return monitor.max / 1e6
}
