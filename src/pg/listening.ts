import { systemClock, type Clock } from '../clock.ts'
import { quoteName } from './quote.ts'

/** A connection of `pg` that is used for nothing else. */
export interface ListeningClient {
  query(text: string): Promise<unknown>
  on(event: 'notification' | 'error' | 'end', listener: (...args: never[]) => void): unknown
  end(): Promise<void>
}

/** `PGlite`, or postgres.js, which connects again by itself and then calls `onListen` once more. */
export interface ListeningDatabase {
  listen(channel: string, heard: (payload: string) => void, ...rest: never[]): PromiseLike<unknown>
}

/** How to hear what is announced: a function that makes a new, connected `pg` client each time, or a `PGlite` or postgres.js. */
export type ListenSource = (() => Promise<ListeningClient>) | ListeningDatabase

/** What a listener is told. */
export interface ListeningEvents {
  /** Something was announced. */
  heard(payload: string): void
  /** Announcements are heard from now on; what was announced before is unknown. Again after each reconnect. */
  connected(): void
  /** The connection is down. */
  lost?(): void
}

const RECONNECT_MS_MIN = 100
const RECONNECT_MS_MAX = 30_000

/** True for what looks like one. */
export function isListenSource(value: unknown): value is ListenSource {
  if (typeof value === 'function') return true
  return typeof value === 'object' && value !== null && 'listen' in value && typeof value.listen === 'function'
}

/** Listens on one channel, and again after each loss of the connection, later each time. */
export class Listening {
  readonly #source: ListenSource
  readonly #channel: string
  readonly #events: ListeningEvents
  readonly #clock: Clock
  #isConnected = false
  #isClosed = false
  #failures = 0
  #stop: (() => Promise<void>) | undefined
  #cancel: (() => void) | undefined
  /** Settles when the first attempt to listen did, whatever came of it. */
  readonly ready: Promise<void>

  constructor(source: ListenSource, channel: string, events: ListeningEvents, clock: Clock = systemClock) {
    this.#source = source
    this.#channel = channel
    this.#events = events
    this.#clock = clock
    this.ready = this.#connect()
  }

  /** True while announcements are heard. */
  get isConnected(): boolean {
    return this.#isConnected
  }

  /** Hears nothing more. Waits for no connection that is being made: it is ended when it comes. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#isConnected = false
    this.#cancel?.()
    await this.#stop?.()
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
    const hear = (payload: string): void => this.#events.heard(payload)
    // PGlite takes something else in the third place, and has no connection to lose.
    const again = 'exec' in database ? [] : [() => this.#events.connected()]
    const listening = await database.listen(this.#channel, hear, ...(again as never[]))
    const stop = async (): Promise<void> => {
      if (typeof listening === 'function') await listening()
      else await (listening as { unlisten?: () => Promise<void> } | undefined)?.unlisten?.()
    }
    if (this.#isClosed) return stop()
    this.#stop = stop
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
    client.on('notification', (message: { readonly payload?: string }) => this.#events.heard(message.payload ?? ''))
    client.on('error', over)
    client.on('end', over)
    if (this.#isClosed) return over()
    this.#stop = async () => {
      isOver = true
      await client.end()
    }
    try {
      await client.query(`listen ${quoteName(this.#channel)}`)
      if (!isOver) this.#connected()
    } catch {
      // It may be refused on a connection that stays, such as that of a standby.
      over()
    }
  }

  #connected(): void {
    if (this.#isClosed) return
    this.#failures = 0
    this.#isConnected = true
    this.#events.connected()
  }

  #lost(): void {
    if (this.#isClosed) return
    this.#isConnected = false
    this.#events.lost?.()
    if (this.#cancel) return
    const delayMs = Math.min(RECONNECT_MS_MIN * 2 ** Math.min(this.#failures++, 20), RECONNECT_MS_MAX)
    this.#cancel = this.#clock.schedule(delayMs * (0.5 + Math.random() / 2), () => {
      this.#cancel = undefined
      void this.#connect()
    })
  }
}
