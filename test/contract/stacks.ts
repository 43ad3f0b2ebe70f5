import { join } from 'node:path'
import { describe, onTestFinished } from 'vitest'
import {
  createTidemark,
  memory,
  sqlite,
  type Tidemark,
  type TidemarkEvent,
  type TidemarkOptions,
  type Tier,
} from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { testFolder } from '../folder.ts'

/** A cache under test with the clock it goes by and everything it said. */
export interface Subject {
  readonly tide: Tidemark
  readonly clock: FakeClock
  readonly events: TidemarkEvent[]
}

/** Makes caches over one combination of tiers; each call starts empty, but for `again`, which reopens the last one. */
export interface StackUnderTest {
  readonly isPersistent: boolean
  readonly make: (options?: Omit<TidemarkOptions, 'tiers' | 'clock'>) => Subject
  readonly again: (options?: Omit<TidemarkOptions, 'tiers' | 'clock'> & { clock?: FakeClock }) => Subject
}

/** Runs the scenarios over memory alone, SQLite alone, and memory in front of SQLite. */
export function eachStack(define: (stack: StackUnderTest) => void): void {
  const folder = testFolder()
  let files = 0
  const kinds: readonly (readonly [string, (path: string) => Tier[], boolean])[] = [
    ['memory', () => [memory()], false],
    ['sqlite', (path) => [sqlite({ path })], true],
    ['memory + sqlite', (path) => [memory(), sqlite({ path })], true],
  ]
  for (const [name, tiersOf, isPersistent] of kinds) {
    describe(name, () => {
      const clock = new FakeClock()
      const make: StackUnderTest['make'] = (options) => {
        files++
        return subject({ tiers: tiersOf(join(folder, `${files}.db`)), clock, ...options })
      }
      const again: StackUnderTest['again'] = (options) =>
        subject({ tiers: tiersOf(join(folder, `${files}.db`)), clock, ...options })
      define({ isPersistent, make, again })
    })
  }
}

/** A cache that is closed when the test is over. */
export function subject(options: TidemarkOptions & { clock: FakeClock }): Subject {
  const tide = createTidemark(options)
  onTestFinished(() => tide.close())
  const events: TidemarkEvent[] = []
  tide.on('event', (event) => events.push(event))
  return { tide, clock: options.clock, events }
}

/** A promise that the test settles. */
export function deferred<T>(): PromiseWithResolvers<T> {
  return Promise.withResolvers<T>()
}

/** Lets everything that needs no time to pass finish. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
}
