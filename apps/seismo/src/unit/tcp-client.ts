import { Headers, Samples, Single, type Assembly } from './assembly.ts'
import { UnitError } from './client.ts'
import { dial, type Line, type LineOptions } from './line.ts'
import {
  MAX_EVENTS,
  deviceInfo,
  eventCount,
  monitorStatus,
  storageRange,
  type Asked,
  type Question,
} from './messages.ts'
import { nothing } from './shape.ts'
import type {
  ComplianceConfig,
  Conversation,
  DeviceInfo,
  EventHeader,
  MonitorStatus,
  SeismographClient,
  StorageRange,
  Waveform,
} from './client.ts'

/** Long enough for a modem to answer the call. */
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000
/** A unit thinks for ten seconds before the first header of a long list. */
export const DEFAULT_ANSWER_TIMEOUT_MS = 30_000

/** Where a unit is and how long it is waited for. */
export interface TcpSeismographOptions {
  /** Name or address. */
  readonly host: string
  readonly port: number
  /** Milliseconds until a call counts as unanswered. Defaults to {@link DEFAULT_CONNECT_TIMEOUT_MS}. */
  readonly connectTimeoutMs?: number | undefined
  /** Milliseconds of silence, before or between the pieces of an answer. Defaults to {@link DEFAULT_ANSWER_TIMEOUT_MS}. */
  readonly answerTimeoutMs?: number | undefined
}

/** Questions that change nothing: asked once more when the line turns out to have been dropped while idle. */
const READS: ReadonlySet<Question> = new Set(['info', 'count', 'range', 'events', 'waveform', 'status'])
const MAX_TIMEOUT_MS = 2 ** 31 - 1
const MAX_ID = 0x7fff_ffff

/**
 * A unit at the end of a TCP connection. It dials at the first question, keeps the line between conversations and dials
 * again after it was dropped. One conversation at a time: a second one is refused with `unit-rejected`, so a caller
 * without a queue is found out. Aborting a conversation hangs up (`unit-unreachable`, the reason as its cause).
 *
 * @example
 * const unit = new TcpSeismographClient({ host: '127.0.0.1', port: 12345 })
 * const { count } = await unit.storageRange()
 * const headers = await unit.readEvents(0, count, { onProgress: (done, total) => console.log(`${done}/${total}`) })
 * await unit.close()
 */
export class TcpSeismographClient implements SeismographClient {
  readonly #options: LineOptions
  #line: Line | undefined
  #current: { readonly ask: Question; readonly controller: AbortController } | undefined
  #id = 0

  /** @throws RangeError for an option out of its range */
  constructor(options: TcpSeismographOptions) {
    const { host, port } = options
    if (typeof host !== 'string' || host === '') throw new RangeError('Expected `host` to be a name or an address.')
    this.#options = Object.freeze({
      host,
      port: between('port', port, 1, 65_535),
      connectTimeoutMs: timeout('connectTimeoutMs', options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS),
      answerTimeoutMs: timeout('answerTimeoutMs', options.answerTimeoutMs ?? DEFAULT_ANSWER_TIMEOUT_MS),
    })
  }

  info(conversation?: Conversation): Promise<DeviceInfo> {
    return this.#converse({ ask: 'info' }, new Single(deviceInfo), conversation)
  }

  countEvents(conversation?: Conversation): Promise<number> {
    return this.#converse({ ask: 'count' }, new Single(eventCount), conversation)
  }

  storageRange(conversation?: Conversation): Promise<StorageRange> {
    return this.#converse({ ask: 'range' }, new Single(storageRange), conversation)
  }

  async readEvents(from: number, to: number, conversation?: Conversation): Promise<EventHeader[]> {
    if (!isIndex(from) || !isIndex(to) || from > to)
      throw new UnitError('unit-no-such-event', `Expected events \`from\` … \`to\` - 1, got ${from} … ${to} - 1.`)
    if (from === to) return []
    return this.#converse({ ask: 'events', from, to }, new Headers(from, to), conversation)
  }

  async readWaveform(index: number, conversation?: Conversation): Promise<Waveform> {
    if (!isIndex(index) || index === MAX_EVENTS)
      throw new UnitError('unit-no-such-event', `Expected \`index\` to be the index of an event, got ${index}.`)
    return this.#converse({ ask: 'waveform', index }, new Samples(index), conversation)
  }

  monitorStatus(conversation?: Conversation): Promise<MonitorStatus> {
    return this.#converse({ ask: 'status' }, new Single(monitorStatus), conversation)
  }

  startMonitoring(conversation?: Conversation): Promise<void> {
    return this.#converse({ ask: 'start' }, new Single(nothing), conversation)
  }

  stopMonitoring(conversation?: Conversation): Promise<void> {
    return this.#converse({ ask: 'stop' }, new Single(nothing), conversation)
  }

  writeConfig(config: Partial<ComplianceConfig>, conversation?: Conversation): Promise<void> {
    return this.#converse({ ask: 'config', config: { ...config } }, new Single(nothing), conversation)
  }

  eraseEvents(conversation?: Conversation): Promise<void> {
    return this.#converse({ ask: 'erase' }, new Single(nothing), conversation)
  }

  /** Hangs up; a conversation that is going on fails. A later one dials again. */
  async close(): Promise<void> {
    this.#current?.controller.abort(new Error('The client was closed.'))
    await this.#line?.hangUp()
    this.#line = undefined
  }

  async #converse<T>(asked: Asked, assembly: Assembly<T>, { signal, onProgress }: Conversation = {}): Promise<T> {
    if (this.#current)
      throw new UnitError('unit-rejected', `A conversation ('${this.#current.ask}') is going on: wait for its end.`)
    const controller = new AbortController()
    const conversation = {
      onProgress,
      signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
    }
    this.#current = { ask: asked.ask, controller }
    this.#id = (this.#id % MAX_ID) + 1
    const request = { ...asked, id: this.#id }
    try {
      const kept = this.#line
      if (kept?.isOpen) {
        try {
          return await kept.exchange(request, assembly, conversation)
        } catch (error) {
          if (!kept.brokeUnheard || !READS.has(asked.ask)) throw error
        }
      }
      this.#line = await dial(this.#options, conversation.signal)
      return await this.#line.exchange(request, assembly, conversation)
    } finally {
      this.#current = undefined
    }
  }
}

function isIndex(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= MAX_EVENTS
}

function timeout(name: string, value: number): number {
  return between(name, value, 1, MAX_TIMEOUT_MS)
}

function between(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new RangeError(`Expected \`${name}\` to be a whole number from ${min} to ${max}, got ${String(value)}.`)
}
