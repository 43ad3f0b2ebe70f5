import type { SimulatedUnit } from '../simulator/start.ts'

/** What a dashboard asks for. */
export type Question = 'status' | 'events' | 'waveform'

interface Listed {
  readonly index: number
  readonly record_type: string
  readonly waveform_key: string | null
  readonly timestamp: string | null
}

/** What is counted during the day. */
export interface Tally {
  readonly requests: Record<Question, number>
  /** Milliseconds of this machine until an answer from the cache was there. */
  readonly cachedMs: number[]
  /** Answers that named an event of a life whose end had been probed. */
  outdated: number
  failures: number
  /** By unit and event index. */
  readonly waveforms: Map<number, Map<number, number>>
}

/** A working day at a fraction of its length: what is asked of the gateway, and what comes back. */
export class Day {
  readonly seconds: number
  readonly tally: Tally = {
    requests: { status: 0, events: 0, waveform: 0 },
    cachedMs: [],
    outdated: 0,
    failures: 0,
    waveforms: new Map(),
  }
  readonly #scale: number
  readonly #origin: string
  readonly #units: readonly SimulatedUnit[]
  readonly #began = performance.now()
  readonly #events = new Map<number, readonly Listed[]>()
  /** By unit: stamps of lives that are over, and since when a probe has said so. */
  readonly #over = new Map<number, { readonly stamps: ReadonlySet<string>; probedAt: number }>()
  #seed = 1

  constructor(origin: string, units: readonly SimulatedUnit[], hours: number, scale: number) {
    this.seconds = hours * 3600
    this.#origin = origin
    this.#units = units
    this.#scale = scale
  }

  get elapsedSeconds(): number {
    return ((performance.now() - this.#began) / 1000) * this.#scale
  }

  /** From 0 to 1, the same every day (a linear congruential generator, constants of Numerical Recipes). */
  random(): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0
    return this.#seed / 2 ** 32
  }

  async until(second: number): Promise<void> {
    const ms = ((second - this.elapsedSeconds) / this.#scale) * 1000
    if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
  }

  /** What was known of a unit is over: from the next list on that was asked for now or later, none of it may be seen. */
  erased(unit: number): void {
    const stamps = new Set((this.#events.get(unit) ?? []).map(stampOf))
    this.#over.set(unit, { stamps, probedAt: Number.POSITIVE_INFINITY })
  }

  async ask(unit: number, question: Question): Promise<void> {
    const path = this.#path(unit, question)
    if (path === undefined) return
    const { tally } = this
    tally.requests[question]++
    const { host, port } = this.#units[unit] as SimulatedUnit
    const askedAt = performance.now()
    const response = await fetch(`${this.#origin}${path}?host=${host}&tcp_port=${port}`)
    const text = await response.text()
    const took = performance.now() - askedAt
    if (response.status === 404) return
    if (!response.ok) {
      tally.failures++
      return
    }
    if (response.headers.get('cache-status')?.includes('; hit')) tally.cachedMs.push(took)
    if (question !== 'status') this.#look(unit, question, text, askedAt)
  }

  /** Undefined when nothing is known yet that could be opened. */
  #path(unit: number, question: Question): string | undefined {
    if (question === 'status') return '/device/monitor/status'
    if (question === 'events') return '/device/events'
    const recordings = (this.#events.get(unit) ?? []).filter((it) => it.record_type === 'waveform')
    const chosen = recordings[Math.floor(this.random() * recordings.length)]
    if (!chosen) return undefined
    const byIndex = this.tally.waveforms.get(unit) ?? new Map<number, number>()
    this.tally.waveforms.set(unit, byIndex.set(chosen.index, (byIndex.get(chosen.index) ?? 0) + 1))
    return `/device/event/${chosen.index}/waveform`
  }

  #look(unit: number, question: Question, text: string, askedAt: number): void {
    const seen = question === 'events' ? (JSON.parse(text) as { events: Listed[] }).events : [headOf(text)]
    const over = this.#over.get(unit)
    if (over && askedAt > over.probedAt) this.tally.outdated += seen.filter((it) => over.stamps.has(stampOf(it))).length
    if (question !== 'events') return
    this.#events.set(unit, seen)
    if (over && !seen.some((it) => over.stamps.has(stampOf(it))))
      over.probedAt = Math.min(over.probedAt, performance.now())
  }
}

function stampOf(it: Listed): string {
  return `${it.waveform_key} ${it.timestamp}`
}

/** The stamp of a recording, without reading its tens of thousands of samples. */
function headOf(text: string): Listed {
  const field = (name: string): string | null =>
    new RegExp(`"${name}":"([^"]*)"`).exec(text.slice(0, 1000))?.[1] ?? null
  return { index: 0, record_type: 'waveform', waveform_key: field('waveform_key'), timestamp: field('timestamp') }
}
