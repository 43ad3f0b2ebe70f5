import { join } from 'node:path'
import { describe, onTestFinished } from 'vitest'
import {
  createTidemark,
  jsonl,
  memory,
  sqlite,
  type Tidemark,
  type TidemarkEvent,
  type TidemarkOptions,
  type Tier,
} from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { testFolder } from '../folder.ts'
import { postgresIsIdle } from '../postgres/schemas.ts'
import { sharedPostgres } from '../postgres/shared.ts'
import { redisIsIdle, sharedRedis } from '../redis/shared.ts'

/** A cache under test with the clock it goes by and everything it said. */
export interface Subject {
  readonly tide: Tidemark
  readonly clock: FakeClock
  readonly events: TidemarkEvent[]
}

/** Makes caches over one combination of tiers; each call starts empty, but for `again`, which reopens the last one. */
export interface StackUnderTest {
  readonly isPersistent: boolean
  /** The tier that answers after a restart, or the only one there is. */
  readonly lasting: 'memory' | 'sqlite' | 'jsonl' | 'redis' | 'postgres'
  readonly make: (options?: Omit<TidemarkOptions, 'tiers' | 'clock'>) => Subject
  readonly again: (options?: Omit<TidemarkOptions, 'tiers' | 'clock'> & { clock?: FakeClock }) => Subject
}

type Tiers = TidemarkOptions['tiers']

const redisTier = await sharedRedis()
const postgresTier = await sharedPostgres()

/** Runs the scenarios over each tier alone, over memory in front of each of the others, and over three tiers. */
export function eachStack(define: (stack: StackUnderTest) => void): void {
  const folder = testFolder()
  let places = 0
  const file = (place: number): Tier => sqlite({ path: join(folder, `${place}.db`) })
  const segments = (place: number): Tier => jsonl({ path: join(folder, `${place}`) })
  const kinds: (readonly [StackUnderTest['lasting'], string, (place: number) => Tiers])[] = [
    ['memory', 'memory', () => [memory()]],
    ['sqlite', 'sqlite', (place) => [file(place)]],
    ['sqlite', 'memory + sqlite', (place) => [memory(), file(place)]],
    ['jsonl', 'jsonl', (place) => [segments(place)]],
    ['jsonl', 'memory + jsonl', (place) => [memory(), segments(place)]],
    ['jsonl', 'memory + jsonl + sqlite', (place) => [memory(), segments(place), file(place)]],
  ]
  if (redisTier) {
    kinds.push(
      ['redis', 'redis', (place) => [redisTier(place)]],
      ['redis', 'memory + redis', (place) => [memory(), redisTier(place)]],
    )
  }
  if (postgresTier) {
    kinds.push(
      ['postgres', 'postgres', (place) => [postgresTier(place)]],
      ['postgres', 'memory + postgres', (place) => [memory(), postgresTier(place)]],
    )
  }
  for (const [lasting, title, tiersOf] of kinds) {
    describe(title, () => {
      const clock = new FakeClock()
      const make: StackUnderTest['make'] = (options) => subject({ tiers: tiersOf(++places), clock, ...options })
      const again: StackUnderTest['again'] = (options) => subject({ tiers: tiersOf(places), clock, ...options })
      define({ isPersistent: lasting !== 'memory', lasting, make, again })
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
  do for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve))
  while (!redisIsIdle() || !postgresIsIdle())
}
