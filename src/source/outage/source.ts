import type { Clock } from '../../clock.ts'
import { TidemarkError } from '../../errors.ts'
import type { Hub } from '../../observe/hub.ts'
import { Circuit } from '../../stack/circuit.ts'
import { Limit } from './limit.ts'
import type { SourceSettings } from './options.ts'
import { RecentKeys, type Recent } from './recent.ts'
import { warmUp } from './warm-up.ts'

/** What a source needs of the cache. */
export interface SourceHost {
  readonly clock: Clock
  readonly hub: Hub
  /** Calls back when the cache is closed. */
  onClose(stop: () => void): void
}

/** How a source is. */
export interface SourceStatus {
  readonly source: string
  /** `up`: reads ask it; `open`: it is left alone, and probed from time to time. */
  readonly state: 'up' | 'open'
  /** Why it was left alone last; empty when it never was. */
  readonly reason: string
  /** When it is probed next, milliseconds since 1970, while it is left alone. */
  readonly nextProbeAt: number | undefined
  /** Failures in a row, while it is up. */
  readonly failures: number
  /** Loads that are asking it now. */
  readonly running: number
}

const CIRCUIT = { successThreshold: 2, probeBaseMs: 500, probeMaxMs: 5_000 } as const
/** A probe that takes longer has failed. */
const PROBE_MS_MAX = 2_000
/** So many keys are remembered for a probe, also without a warm-up. */
const RECENT_MIN = 1

/**
 * What several resources load from, such as a database: whether it can be asked, how many may ask it at a time, and what is
 * loaded when it is back. Made by `tide.source`.
 */
export class Source {
  readonly name: string
  readonly #settings: SourceSettings
  readonly #host: SourceHost
  readonly #circuit: Circuit
  readonly #limit: Limit
  readonly #recent: RecentKeys
  /** The latest beginning of a load that succeeded. */
  #answeredSince = 0
  #openedAt = 0
  #error: unknown
  #cancelProbe: () => void = () => {}
  #isProbeDue = false
  #stopWarmUp: () => void = () => {}
  #isClosed = false

  /** Use `tide.source`. */
  constructor(name: string, settings: SourceSettings, host: SourceHost) {
    this.name = name
    this.#settings = settings
    this.#host = host
    this.#circuit = new Circuit({ ...CIRCUIT, failureThreshold: settings.failureThreshold })
    this.#limit = new Limit(settings.concurrency)
    this.#recent = new RecentKeys(Math.max(RECENT_MIN, settings.warmKeys))
    host.onClose(() => this.#close())
  }

  /** True while it is left alone. */
  get isOpen(): boolean {
    return this.#circuit.isOpen
  }

  /** Why it could not answer last. */
  get error(): unknown {
    return this.#error
  }

  /** How it is: whether it is asked, why not, and when it is probed. */
  get status(): SourceStatus {
    const { isOpen, nextProbeAt, failures } = this.#circuit
    return {
      source: this.name,
      state: isOpen ? 'open' : 'up',
      reason: this.#error === undefined ? '' : messageOf(this.#error),
      nextProbeAt: isOpen ? nextProbeAt : undefined,
      failures: isOpen ? 0 : failures,
      running: this.#limit.running,
    }
  }

  /** True when an error is the source's own: the cache may answer in its place. */
  isUnavailable(error: unknown): boolean {
    return this.#settings.isUnavailable(error)
  }

  /** Notes that a key was read: it is warmed with the others that were read last. */
  touch(recent: Recent): void {
    this.#recent.touch(recent)
  }

  /** Asks the source: in its turn, and with what comes of it noted. `softMs`: after this it counts as slow. */
  run<T>(work: () => T | Promise<T>, signal: AbortSignal, softMs: number): Promise<T> {
    // The time in the queue is our own; the source's begins with its turn.
    return this.#limit.run(() => this.#asked(work, signal, softMs), signal)
  }

  async #asked<T>(work: () => T | Promise<T>, signal: AbortSignal, softMs: number): Promise<T> {
    const { clock } = this.#host
    const startedAt = clock.now()
    const isPatient = softMs === Number.POSITIVE_INFINITY
    const cancel = isPatient ? undefined : clock.schedule(softMs, () => this.#late(startedAt, softMs))
    // A loader that ignores its signal never ends; the deadline does.
    const givenUp = (): void => this.#failed(signal.reason, startedAt)
    signal.addEventListener('abort', givenUp, { once: true })
    const settled = (): void => {
      cancel?.()
      signal.removeEventListener('abort', givenUp)
    }
    signal.addEventListener('abort', settled, { once: true })
    try {
      const result = await work()
      if (!signal.aborted) this.#succeeded(startedAt)
      return result
    } catch (error) {
      if (!signal.aborted) this.#failed(error, startedAt)
      throw error
    } finally {
      settled()
    }
  }

  #succeeded(startedAt: number): void {
    this.#answeredSince = Math.max(this.#answeredSince, startedAt)
    if (!this.#circuit.isOpen) return void this.#circuit.success()
    if (this.#circuit.success()) this.#back()
    else this.#probeAt(0)
  }

  #failed(error: unknown, startedAt: number): void {
    if (this.#isClosed) return
    // Whoever says that there is no such row has answered.
    if (!this.isUnavailable(error)) return this.#succeeded(startedAt)
    this.#fail(error, startedAt, false)
  }

  /** Slow is a failure, unless it is only this one: what began after it has been answered. */
  #late(startedAt: number, softMs: number): void {
    if (this.#isClosed || this.#answeredSince > startedAt) return
    const message = `The source ${this.name} did not answer within ${softMs} ms.`
    this.#fail(
      new TidemarkError('source-unavailable', message, { data: { source: this.name, softMs } }),
      startedAt,
      true,
    )
  }

  #fail(error: unknown, startedAt: number, isSlow: boolean): void {
    const wasOpen = this.#circuit.isOpen
    // What was on its way when it was opened says nothing new; only a probe does.
    if (wasOpen && startedAt <= this.#openedAt) return
    const { clock } = this.#host
    this.#error = error
    if (!this.#circuit.failure(clock.now(), Math.random(), isSlow)) return
    this.#openedAt = clock.now()
    this.#stopWarmUp()
    this.#probeAt(this.#circuit.nextProbeAt)
    if (!wasOpen) this.#tell()
  }

  #probeAt(at: number): void {
    this.#cancelProbe()
    const { clock } = this.#host
    this.#isProbeDue = true
    this.#cancelProbe = clock.schedule(Math.max(0, at - clock.now()), () => void this.#probe())
  }

  async #probe(): Promise<void> {
    const { probe } = this.#settings
    const { newest } = this.#recent
    this.#isProbeDue = false
    try {
      if (!probe) await newest?.reload(Number.POSITIVE_INFINITY)
      else await this.#questioned(probe)
    } catch {
      // What came of it is noted already.
    }
    // Nothing came of it: there was no key to load, or its load was one from before.
    if (this.isOpen && !this.#isProbeDue && !this.#isClosed) this.#probeAt(this.#host.clock.now() + CIRCUIT.probeBaseMs)
  }

  async #questioned(probe: NonNullable<SourceSettings['probe']>): Promise<void> {
    const { clock } = this.#host
    const controller = new AbortController()
    const { signal } = controller
    const cancel = clock.schedule(PROBE_MS_MAX, () => {
      const message = `Probing ${this.name} took longer than ${PROBE_MS_MAX} ms.`
      controller.abort(new TidemarkError('load-timeout', message, { data: { source: this.name } }))
    })
    await this.run(() => probe({ signal }), signal, Number.POSITIVE_INFINITY).finally(cancel)
  }

  #back(): void {
    this.#cancelProbe()
    this.#tell()
    const { clock, hub } = this.#host
    if (this.#settings.warmKeys === 0) return
    this.#stopWarmUp = warmUp(this.#recent.list(), clock.now(), {
      clock,
      perSecond: this.#settings.warmPerSecond,
      progress: (done, total) => hub.emit({ type: 'warm-up', source: this.name, done, total }),
    })
  }

  #tell(): void {
    const { source, state, reason, nextProbeAt } = this.status
    this.#host.hub.emit({ type: 'source-state', source, state, reason, nextProbeAt })
  }

  #close(): void {
    this.#isClosed = true
    this.#cancelProbe()
    this.#stopWarmUp()
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Failures to connect to several addresses come together, without a message of their own.
  if (error.message !== '') return error.message
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
