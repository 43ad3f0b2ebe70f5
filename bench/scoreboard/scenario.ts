import { isDeepStrictEqual, inspect } from 'node:util'
import type { Cache, Feature, Needs } from './peer.ts'
import type { Remote } from './remote.ts'
import type { Source } from './source.ts'
import type { StageClock } from './stage-clock.ts'

/** What a scenario plays on. Everything opened here is closed when it is over. */
export interface Stage {
  readonly open: (needs: Needs) => Promise<Cache>
  readonly source: (value: unknown, lastsMs?: number) => Source
  readonly remote: () => Promise<Remote>
  readonly clock: () => StageClock
  /** The shortest lifetime the library can be given, or `ms` if that is longer. */
  readonly lifetime: (ms: number) => number
}

/** One thing that must never happen, as one function that is the same for every library. */
export interface Scenario {
  readonly name: string
  /** What it does, in a sentence. */
  readonly does: string
  readonly uses: readonly Feature[]
  /** Says what went wrong, in a line; nothing if all is well. */
  readonly play: (stage: Stage) => Promise<string | undefined>
}

/** What became of one scenario with one library. */
export interface Outcome {
  readonly scenario: string
  readonly result: 'holds' | 'fails' | 'cannot be expressed'
  readonly why?: string
}

/** Says what came where something else was expected. */
export function unless(got: unknown, expected: unknown, what: string): string | undefined {
  return isDeepStrictEqual(got, expected) ? undefined : `${what}: ${shown(got)}`
}

/** A value, or an error, in a few words. */
export function shown(value: unknown): string {
  if (value instanceof Error) return `the error "${value.message.split('\n')[0]}"`
  if (Array.isArray(value)) return value.map(shown).join(', ')
  return inspect(value, { depth: 2, breakLength: Infinity, compact: true, maxStringLength: 60 })
}

/** The value, or the error in its place. */
export async function settled(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
}

/** The value, or `late` if it takes longer. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T | 'late'> {
  const { promise: late, resolve } = Promise.withResolvers<'late'>()
  const timer = setTimeout(() => resolve('late'), ms)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
