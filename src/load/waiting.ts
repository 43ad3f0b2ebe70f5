import { AsyncLocalStorage } from 'node:async_hooks'
import { TidemarkError } from '../errors.ts'

/** Something that is loaded and may, through its loader, wait for other things that are loaded. */
export class Waitable {
  readonly label: string
  readonly waitsFor: Set<Waitable> = new Set<Waitable>()
  isSettled = false

  constructor(label: string) {
    this.label = label
  }

  settle(): void {
    this.isSettled = true
    this.waitsFor.clear()
  }
}

/** The load whose loader is running here; set for all it awaits. */
const running = new AsyncLocalStorage<Waitable>()

/** Runs a loader so that what it reads is known to be waited for by this load. */
export function runAs<T>(load: Waitable, work: () => T): T {
  return running.run(load, work)
}

/**
 * Call before waiting for a load. Refuses with `reentrant-load` when that load already waits, directly or through others,
 * for the loader that asks: nobody would ever finish (contract C2, `reentrant-load`).
 */
export function waitFor(load: Waitable): void {
  const asking = running.getStore()
  if (!asking || asking.isSettled || load.isSettled) return
  const circle = pathFrom(load, asking)
  if (circle) {
    const keys = [asking, ...circle].map((it) => it.label)
    throw new TidemarkError('reentrant-load', `A loader waits for itself: ${keys.join(' → ')}.`, { data: { keys } })
  }
  asking.waitsFor.add(load)
}

/** The loads on the way from one to another along what waits for what, both included; `undefined` when there is none. */
function pathFrom(from: Waitable, to: Waitable, seen: Set<Waitable> = new Set()): Waitable[] | undefined {
  if (from === to) return [from]
  seen.add(from)
  for (const next of from.waitsFor) {
    if (seen.has(next) || next.isSettled) continue
    const rest = pathFrom(next, to, seen)
    if (rest) return [from, ...rest]
  }
  return undefined
}
