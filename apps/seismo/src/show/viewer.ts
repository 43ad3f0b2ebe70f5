import type { OutgoingHttpHeaders } from 'node:http'
import type { SimulatedUnit } from '../simulator/start.ts'
import { ask, type Answer } from './answer.ts'
import type { Day } from './day.ts'
import { noTally, type Ending, type Question, type Tally } from './tally.ts'

const STATUS_EVERY_S = 15
const EVENTS_EVERY_S = 60
/** On average; which one is left to chance. */
const WAVEFORM_EVERY_S = 120

/** One line of an event list. */
export interface Listed {
  readonly index: number
  readonly record_type: string
  readonly waveform_key: string | null
  readonly timestamp: string | null
}

/** Somebody with a dashboard of the whole fleet: status each 15 s, events each 60 s, now and then a waveform. */
export class Viewer {
  readonly tally: Tally = noTally()
  readonly #day: Day
  readonly #origin: string
  readonly #headers: OutgoingHttpHeaders
  readonly #units: readonly SimulatedUnit[]
  readonly #events = new Map<number, readonly Listed[]>()
  readonly #opened = new Map<string, [unit: number, index: number, times: number]>()
  /** By unit: stamps of the life that was erased last, and what was seen of it since. */
  readonly #over = new Map<number, { readonly stamps: ReadonlySet<string>; readonly ending: Ending }>()

  /** `maxAge`: a list will do if its unit was asked less than so many seconds ago, as the gateway's own page says. */
  constructor(day: Day, origin: string, units: readonly SimulatedUnit[], maxAge: number) {
    this.#day = day
    this.#origin = origin
    this.#units = units
    this.#headers = { 'Cache-Control': `max-age=${maxAge}` }
  }

  /** Polls until the day is over. Resolves when the last answer has come. */
  async watch(): Promise<Tally> {
    await Promise.all(
      this.#units.flatMap((_, unit) => [
        this.#every(STATUS_EVERY_S, false, () => this.#ask(unit, 'status')),
        this.#every(EVENTS_EVERY_S, false, () => this.#ask(unit, 'events')),
        this.#every(WAVEFORM_EVERY_S, true, () => this.#ask(unit, 'waveform')),
      ]),
    )
    this.tally.opened.push(...this.#opened.values())
    return this.tally
  }

  /** These events of a unit are being erased: from the first list on that has none of them, none may be seen. */
  erased(unit: number, stamps: readonly string[]): void {
    const ending = { unit, probedAtMs: undefined, askedAtMs: [] }
    this.tally.endings.push(ending)
    this.#over.set(unit, { stamps: new Set(stamps), ending })
  }

  async #every(seconds: number, isRandom: boolean, work: () => Promise<void>): Promise<void> {
    const day = this.#day
    const pause = (): number => (isRandom ? -Math.log(1 - day.random()) * seconds : seconds)
    // Dashboards were not all opened in the same second.
    let at = day.random() * pause()
    while (at < day.seconds) {
      await day.until(at)
      await work()
      // A dashboard that waited for a slow answer skips what it missed.
      at = Math.max(at + pause(), isRandom ? 0 : day.elapsedSeconds)
    }
  }

  async #ask(unit: number, question: Question): Promise<void> {
    const path = this.#path(unit, question)
    if (path === undefined) return
    const { tally } = this
    tally.requests[question]++
    const { host, port } = this.#units[unit] as SimulatedUnit
    const answer = await ask(`${this.#origin}${path}?host=${host}&tcp_port=${port}`, this.#headers)
    if (answer.status === 404) return
    if (answer.status !== 200) {
      tally.failures++
      return
    }
    if (answer.headers['cache-status']?.includes('; hit')) tally.cachedMs.push(answer.tookMs)
    if (question !== 'status') this.#look(unit, question, answer)
  }

  /** Undefined when nothing is known yet that could be opened. */
  #path(unit: number, question: Question): string | undefined {
    if (question === 'status') return '/device/monitor/status'
    if (question === 'events') return '/device/events'
    const recordings = (this.#events.get(unit) ?? []).filter((it) => it.record_type === 'waveform')
    const chosen = recordings[Math.floor(this.#day.random() * recordings.length)]
    if (!chosen) return undefined
    const opened = this.#opened.get(`${unit} ${chosen.index}`) ?? [unit, chosen.index, 0]
    opened[2]++
    this.#opened.set(`${unit} ${chosen.index}`, opened)
    return `/device/event/${chosen.index}/waveform`
  }

  #look(unit: number, question: Question, { body, askedAtMs, tookMs }: Answer): void {
    const over = this.#over.get(unit)
    const list = question === 'events' ? (JSON.parse(body.toString()) as { events: Listed[] }).events : undefined
    if (over) {
      const { stamps, ending } = over
      if ((list ?? [headOf(body)]).some((it) => stamps.has(stampOf(it)))) ending.askedAtMs.push(askedAtMs)
      else if (list) ending.probedAtMs ??= askedAtMs + tookMs
    }
    if (list) this.#events.set(unit, list)
  }
}

/** What tells one event from another. */
export function stampOf(it: Pick<Listed, 'waveform_key' | 'timestamp'>): string {
  return `${it.waveform_key} ${it.timestamp}`
}

/** The stamp of a recording, without reading its tens of thousands of samples. */
function headOf(body: Buffer): Pick<Listed, 'waveform_key' | 'timestamp'> {
  const text = body.toString('utf8', 0, 1000)
  const field = (name: string): string | null => new RegExp(`"${name}":"([^"]*)"`).exec(text)?.[1] ?? null
  return { waveform_key: field('waveform_key'), timestamp: field('timestamp') }
}
