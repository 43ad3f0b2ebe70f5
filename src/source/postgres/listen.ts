import { systemClock, type Clock } from '../../clock.ts'
import { durationMs, type Duration } from '../../duration.ts'
import { invalidOption, refuseUnknown } from '../../errors.ts'
import { isListenSource, Listening, type ListenSource } from '../../pg/listening.ts'
import { CHANNEL } from './schema.ts'

/** Options of {@link pgListen}. */
export interface PgListenOptions {
  /** The database is asked at least this often, whatever was heard: what may be missed is seen then. Defaults to 5 s. */
  readonly pollEvery?: Duration | undefined
  /** Where time comes from. Defaults to the process's own. */
  readonly clock?: Clock | undefined
}

const DEFAULT_POLL_MS = 5_000

/**
 * Saves asking for revisions while nothing is announced. Needs tables installed with `notify`. A hint only: a commit is
 * seen when its announcement arrives, normally within milliseconds, and at the latest after `pollEvery`. While the
 * connection is down, and after each reconnect, the database is asked.
 *
 * @example
 * const listen = pgListen(async () => { const client = new Client(url); await client.connect(); return client })
 * const revision = pgRevision(['topics'], { client: pool, listen })
 */
export function pgListen(source: ListenSource, options: PgListenOptions = {}): PgListen {
  return new PgListen(source, options)
}

/** See {@link pgListen}. */
export class PgListen implements AsyncDisposable {
  readonly #clock: Clock
  readonly #pollMs: number
  readonly #listening: Listening
  #heard = 0

  /** Use {@link pgListen}. */
  constructor(source: ListenSource, options: PgListenOptions) {
    refuseUnknown('pgListen()', options, ['pollEvery', 'clock'])
    if (!isListenSource(source))
      throw invalidOption(
        'pgListen.source',
        'a function that makes a connected client, a PGlite, or postgres.js',
        source,
      )
    this.#clock = options.clock ?? systemClock
    this.#pollMs = durationMs(options.pollEvery ?? DEFAULT_POLL_MS, 'pgListen.pollEvery')
    const hear = (): void => void this.#heard++
    // What was announced while nobody listened is unknown.
    this.#listening = new Listening(source, CHANNEL, { heard: hear, connected: hear }, this.#clock)
  }

  /** Settles when the first attempt to listen did, whatever came of it. */
  get ready(): Promise<void> {
    return this.#listening.ready
  }

  /** True while announcements are heard. */
  get isConnected(): boolean {
    return this.#listening.isConnected
  }

  /** This moment, for {@link isQuietSince}. Take it before asking. */
  mark(): { readonly heard: number; readonly askedAt: number } {
    return { heard: this.#heard, askedAt: this.now() }
  }

  /** True when an answer asked for at that moment may be given again. */
  isQuietSince(heard: number, askedAt: number): boolean {
    return this.isConnected && this.#heard === heard && this.now() < askedAt + this.#pollMs
  }

  now(): number {
    return this.#clock.now()
  }

  /** Hears nothing more; the database is asked every time from now on. */
  close(): Promise<void> {
    return this.#listening.close()
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
