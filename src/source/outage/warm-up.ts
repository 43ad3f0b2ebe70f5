import type { Clock } from '../../clock.ts'
import type { Recent } from './recent.ts'

/** What a warm-up needs. */
export interface WarmUpHost {
  readonly clock: Clock
  readonly perSecond: number
  /** How far it has come. */
  readonly progress: (done: number, total: number) => void
}

/** How often at most progress is told. */
const TOLD_MAX = 20

/**
 * Loads keys anew, one after the other, at a bounded rate. What fails is passed by: readers have what was there before.
 * Returns how to stop; what is on its way is finished.
 */
export function warmUp(keys: readonly Recent[], since: number, { clock, perSecond, progress }: WarmUpHost): () => void {
  const total = keys.length
  const step = Math.max(1, Math.ceil(total / TOLD_MAX))
  let [next, done, isStopped] = [0, 0, total === 0]
  let cancel: () => void = () => {}
  const finished = (): void => {
    done++
    if (!isStopped && (done % step === 0 || done === total)) progress(done, total)
  }
  const begin = (): void => {
    if (isStopped) return
    const key = keys[next++] as Recent
    void key.reload(since).then(finished, finished)
    if (next < total) cancel = clock.schedule((1_000 / perSecond) * (0.5 + Math.random()), begin)
  }
  begin()
  return () => {
    isStopped = true
    cancel()
  }
}
