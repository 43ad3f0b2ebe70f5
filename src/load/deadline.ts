import type { Clock } from '../clock.ts'
import { TidemarkError } from '../errors.ts'
import type { Flight } from './flights.ts'
import { runAs } from './waiting.ts'

/**
 * Runs a loader for a flight until the hard deadline. Then its signal is aborted and whoever waits gets `load-timeout`;
 * what the loader does afterwards is ignored (contract C2, `load-deadline`).
 */
export function runLoader<V>(
  flight: Flight<unknown>,
  hardMs: number,
  clock: Clock,
  load: (signal: AbortSignal) => V | Promise<V>,
): Promise<V> {
  const { controller } = flight
  return new Promise<V>((resolve, reject) => {
    const timeout = (): void => {
      const message = `Loading ${flight.label} took longer than ${hardMs} ms.`
      controller.abort(new TidemarkError('load-timeout', message, { data: { ...flight.subject.key, hardMs } }))
    }
    const cancel = hardMs === Number.POSITIVE_INFINITY ? undefined : clock.schedule(hardMs, timeout)
    const { signal } = controller
    const settled = (): void => {
      cancel?.()
      signal.removeEventListener('abort', aborted)
    }
    const aborted = (): void => {
      settled()
      reject(signal.reason as Error)
    }
    if (signal.aborted) return aborted()
    signal.addEventListener('abort', aborted)
    runAs(flight, async () => load(signal)).then(
      (value) => {
        settled()
        resolve(value)
      },
      (error: unknown) => {
        settled()
        reject(error)
      },
    )
  })
}

/** The promise's outcome, or `'late'` after `ms`; the promise goes on. */
export function orLate<T>(promise: Promise<T>, ms: number, clock: Clock): Promise<T | 'late'> {
  return new Promise((resolve, reject) => {
    const cancel = clock.schedule(ms, () => resolve('late'))
    promise.finally(cancel).then(resolve, reject)
  })
}
