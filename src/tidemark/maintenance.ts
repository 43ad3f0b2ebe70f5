import type { Clock } from '../clock.ts'
import type { Stack } from '../stack/stack.ts'

const EVERY_MS = 1_000
/** While there is much to drop, the slices follow each other more closely; the process stays free between them. */
const BUSY_EVERY_MS = 50
const LIMIT = 500

/** Drops what is past its time in every tier, a slice at a time. Returns how to stop. */
export function sweepRegularly(stack: Stack, clock: Clock): () => void {
  let cancel: () => void
  let stopped = false
  const sweep = async (): Promise<void> => {
    // A tier that fails to sweep has reported so; the next slice tries again.
    const dropped = await stack.sweep(clock.now(), LIMIT).catch(() => 0)
    if (!stopped) cancel = clock.schedule(dropped >= LIMIT ? BUSY_EVERY_MS : EVERY_MS, () => void sweep())
  }
  cancel = clock.schedule(EVERY_MS, () => void sweep())
  return () => {
    stopped = true
    cancel()
  }
}
