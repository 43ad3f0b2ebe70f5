/** What a dashboard asks for. */
export type Question = 'status' | 'events' | 'waveform'

/** A life of a unit's memory that is over, as one viewer saw it end. */
export interface Ending {
  readonly unit: number
  /** When a list came that held nothing of it: a probe had found it over. On the machine's clock. */
  probedAtMs: number | undefined
  /** When answers were asked for that still held something of it, after it was erased. */
  readonly askedAtMs: number[]
}

/** What one viewer, or all together, counted during the day. */
export interface Tally {
  readonly requests: Record<Question, number>
  /** Milliseconds until an answer from the cache was there. */
  readonly cachedMs: number[]
  failures: number
  /** How often each waveform was opened: unit, event index, times. */
  readonly opened: [unit: number, index: number, times: number][]
  readonly endings: Ending[]
}

/** A tally of nothing. */
export function noTally(): Tally {
  return { requests: { status: 0, events: 0, waveform: 0 }, cachedMs: [], failures: 0, opened: [], endings: [] }
}

/** What all viewers counted. */
export function together(tallies: readonly Tally[]): Tally {
  const all = noTally()
  for (const { requests, cachedMs, failures, opened, endings } of tallies) {
    for (const question of ['status', 'events', 'waveform'] as const) all.requests[question] += requests[question]
    for (const ms of cachedMs) all.cachedMs.push(ms)
    all.failures += failures
    all.opened.push(...opened)
    all.endings.push(...endings)
  }
  return all
}

/** Answers with an event of a life that was asked for after anybody's list had found that life over. */
export function outdatedAnswers({ endings }: Tally): number {
  const probedAtMs = new Map<number, number>()
  for (const { unit, probedAtMs: at = Infinity } of endings)
    probedAtMs.set(unit, Math.min(at, probedAtMs.get(unit) ?? Infinity))
  const isLate = (unit: number, askedAtMs: number): boolean => askedAtMs > (probedAtMs.get(unit) ?? Infinity)
  return endings.reduce((sum, it) => sum + it.askedAtMs.filter((at) => isLate(it.unit, at)).length, 0)
}
