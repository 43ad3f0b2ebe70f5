// What a conversation with a real unit over a modem takes, in milliseconds at its own pace.

import type { Question } from '../unit/messages.ts'

/** Conversations of one frame. */
export const LATENCY_MS: Readonly<Record<Exclude<Question, 'events' | 'waveform'>, number>> = {
  info: 2000,
  count: 2000,
  range: 2000,
  status: 2000,
  start: 2000,
  stop: 2000,
  config: 3000,
  erase: 4000,
}

const FULL_LIST_OPENING_MS = 9130
const TAIL_OPENING_MS = 2000
/** What each event of a list takes. */
export const EVENT_MS = 174
/** What a chunk of a waveform takes. */
export const CHUNK_MS = 1000

/**
 * Before the first event of a list. A full list walks the directory from its start: 10 s for 5 events, 30 s for 120.
 * A tail starts at a key that is known.
 */
export function listOpeningMs(from: number): number {
  return from === 0 ? FULL_LIST_OPENING_MS : TAIL_OPENING_MS
}
