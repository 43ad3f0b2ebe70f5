import { systemClock, type Clock } from '../../clock.ts'
import { durationMs, type Duration } from '../../duration.ts'
import { invalidOption, refuseUnknown } from '../../errors.ts'
import { CHANNEL } from './schema.ts'

/** A connection of `pg` that is used for nothing else. */
export interface ListeningClient {
  query(text: string): Promise<unknown>
  on(event: 'notification' | 'error' | 'end', listener: (...args: never[]) => void): unknown
  end(): Promise<void>
}

/** `PGlite`, or postgres.js, which connects again by itself and then calls what it is given in the third place once more. */
export interface ListeningDatabase {
  listen(channel: string, heard: (payload: string) => void, ...rest: never[]): PromiseLike<unknown>
}

/** How to hear what is announced: a function that makes a new, connected `pg` client each time, or a `PGlite` or postgres.js. */
export type ListenSource = (() => Promise<ListeningClient>) | ListeningDatabase

/** Options of {@link pgListen}. */
export interface PgListenOptions {
  /** The database is asked at least this often, whatever was heard: what may be missed is seen then. Defaults to 5 s. */
  readonly pollEvery?: Duration | undefined
  /** Where time comes from. Defaults to the process's own. */
  readonly clock?: Clock | undefined
}

const DEFAULT_POLL_MS = 5_000
const RECONNECT_MS_MIN = 100
const RECONNECT_MS_MAX = 30_000

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
  readonly #source: ListenSource
  readonly #clock: Clock
  readonly #pollMs: number
  #isConnected = false
  #isClosed = false
  #heard = 0
  #failures = 0
  #stop: (() => Promise<void>) | undefined
  #cancel: (() => void) | undefined
  /** Settles when the first attempt to listen did, whatever came of it. */
  readonly ready: Promise<void>

  /** Use {@link pgListen}. */
  constructor(source: ListenSource, options: PgListenOptions) {
    refuseUnknown('pgListen()', options, ['pollEvery', 'clock'])
    const isDatabase = source !== null && 'listen' in Object(source) && typeof Object(source).listen === 'function'
    if (!isDatabase && typeof source !== 'function')
      throw invalidOption(
        'pgListen.source',
        'a function that makes a connected client, a PGlite, or postgres.js',
        source,
      )
    this.#source = source
    this.#clock = options.clock ?? systemClock
    this.#pollMs = durationMs(options.pollEvery ?? DEFAULT_POLL_MS, 'pgListen.pollEvery')
    this.ready = this.#connect()
  }

  /** True while announcements are heard. */
  get isConnected(): boolean {
    return this.#isConnected
  }

  /** This moment, for {@link isQuietSince}. Take it before asking. */
  mark(): { readonly heard: number; readonly askedAt: number } {
    return { heard: this.#heard, askedAt: this.now() }
  }

  /** True when an answer asked for at that moment may be given again. */
  isQuietSince(heard: number, askedAt: number): boolean {
    return this.#isConnected && this.#heard === heard && this.now() < askedAt + this.#pollMs
  }

  now(): number {
    return this.#clock.now()
  }

  /** Hears nothing more; the database is asked every time from now on. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#isConnected = false
    this.#cancel?.()
    await this.ready
    await this.#stop?.()
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #connect(): Promise<void> {
    try {
      if ('listen' in this.#source) await this.#listenTo(this.#source)
      else await this.#listenOn(await this.#source())
    } catch {
      // Nothing is lost but the saving; the next attempt may succeed.
      this.#lost()
    }
  }

  async #listenTo(database: ListeningDatabase): Promise<void> {
    const hear = (): void => this.#hear()
    // PGlite takes something else in the third place, and has no connection to lose.
    const again = 'exec' in database ? [] : [hear]
    const listening = await database.listen(CHANNEL, hear, ...(again as never[]))
    this.#stop = async () => {
      if (typeof listening === 'function') await listening()
      else await (listening as { unlisten?: () => Promise<void> } | undefined)?.unlisten?.()
    }
    this.#connected()
  }

  async #listenOn(client: ListeningClient): Promise<void> {
    let isOver = false
    const over = (): void => {
      if (isOver) return
      isOver = true
      this.#stop = undefined
      // An error event is not always followed by an end.
      client.end().catch(() => {})
      this.#lost()
    }
    client.on('notification', () => this.#hear())
    client.on('error', over)
    client.on('end', over)
    this.#stop = async () => {
      isOver = true
      await client.end()
    }
    await client.query(`listen ${CHANNEL}`)
    if (!isOver) this.#connected()
  }

  #connected(): void {
    this.#failures = 0
    // What was announced while nobody listened is unknown.
    this.#heard++
    this.#isConnected = !this.#isClosed
  }

  #hear(): void {
    this.#heard++
  }

  #lost(): void {
    this.#isConnected = false
    if (this.#isClosed || this.#cancel) return
    const delayMs = Math.min(RECONNECT_MS_MIN * 2 ** Math.min(this.#failures++, 20), RECONNECT_MS_MAX)
    this.#cancel = this.#clock.schedule(delayMs * (0.5 + Math.random() / 2), () => {
      this.#cancel = undefined
      void this.#connect()
    })
  }
}
