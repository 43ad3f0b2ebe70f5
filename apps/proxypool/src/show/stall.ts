/** How long a piece of work took, and what its longest turn of the event loop was, in milliseconds. */
export interface Watched<T> {
  readonly result: T
  readonly tookMs: number
  /** The longest turn: so long everybody else in the process had to wait. */
  readonly stallMs: number
  /** The processor time of the turn that took most of it: what is left of a stall on a machine with nothing else to do. */
  readonly busyMs: number
}

/** Does work and watches every turn of the event loop meanwhile. */
export async function watched<T>(work: () => Promise<T>): Promise<Watched<T>> {
  let [stallMs, busyMs, isOver] = [0, 0, false]
  let [at, cpu] = [performance.now(), process.cpuUsage()]
  const look = (): void => {
    const used = process.cpuUsage(cpu)
    stallMs = Math.max(stallMs, performance.now() - at)
    busyMs = Math.max(busyMs, (used.user + used.system) / 1_000)
    at = performance.now()
    cpu = process.cpuUsage()
    if (!isOver) setImmediate(look)
  }
  await new Promise((resolve) => setImmediate(resolve))
  ;[at, cpu] = [performance.now(), process.cpuUsage()]
  setImmediate(look)
  const began = performance.now()
  const result = await work()
  const tookMs = performance.now() - began
  isOver = true
  await new Promise((resolve) => setImmediate(resolve))
  return { result, tookMs, stallMs, busyMs }
}
