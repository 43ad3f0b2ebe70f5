import { QUESTIONS, type Question } from '../unit/messages.ts'

/** What a unit's line saw since the simulator started. */
export interface LineCounters {
  /** Milliseconds of conversation at a real unit's pace, before the scale. */
  readonly lineMs: number
  /** Milliseconds of conversation as measured here; about `lineMs / scale`. */
  readonly busyMs: number
  /** Conversations begun, by what was asked. */
  readonly conversations: Readonly<Record<Question, number>>
  /** Requests that came while a conversation was going on. A caller with a queue causes none. */
  readonly overlaps: number
  /** Conversations that the caller hung up. */
  readonly hungUp: number
  /** Connections taken. */
  readonly connections: number
}

/** Counters of which nothing was counted yet. */
export function noCounts(): LineCounters {
  const conversations = Object.fromEntries(QUESTIONS.map((ask) => [ask, 0])) as Record<Question, number>
  return { lineMs: 0, busyMs: 0, conversations, overlaps: 0, hungUp: 0, connections: 0 }
}

/** The counters of several lines together. */
export function sumOf(lines: readonly LineCounters[]): LineCounters {
  return lines.reduce(
    (sum, line) => ({
      lineMs: sum.lineMs + line.lineMs,
      busyMs: sum.busyMs + line.busyMs,
      conversations: Object.fromEntries(
        QUESTIONS.map((ask) => [ask, sum.conversations[ask] + line.conversations[ask]]),
      ) as Record<Question, number>,
      overlaps: sum.overlaps + line.overlaps,
      hungUp: sum.hungUp + line.hungUp,
      connections: sum.connections + line.connections,
    }),
    noCounts(),
  )
}
