// What a unit answers, piece by piece, at its own pace. Memory is read when a piece is sent, not when the question came:
// a unit that is erased in the middle of a list has nothing more to send.

import { ConfigRefusal } from './compliance.ts'
import { CHUNK_MS, EVENT_MS, LATENCY_MS, listOpeningMs } from './latency.ts'
import { CHANNELS } from '../unit/client.ts'
import type { Asked, Said } from '../unit/messages.ts'
import type { Pace } from './pace.ts'
import type { Recording } from './recording.ts'
import type { Unit } from './unit.ts'

/** Headers in a piece of a list. */
const PAGE_EVENTS = 8
/** Samples per channel in a piece of a waveform: 7 pieces for 2 s at 1024 samples/s, 37 for 3 s at 4096. */
const CHUNK_SAMPLES = 360

/** The frames of an answer. Throws an `AbortError` when the caller hung up. */
export async function* answer(unit: Unit, asked: Asked, pace: Pace, signal: AbortSignal): AsyncGenerator<Said> {
  switch (asked.ask) {
    case 'events':
      return yield* list(unit, asked.from, asked.to, pace, signal)
    case 'waveform':
      return yield* waveform(unit, asked.index, pace, signal)
    default:
      await pace.spend(LATENCY_MS[asked.ask], signal)
      yield single(unit, asked)
  }
}

function single(unit: Unit, asked: Exclude<Asked, { ask: 'events' | 'waveform' }>): Said {
  switch (asked.ask) {
    case 'info':
      return { result: unit.info }
    case 'count':
      return { result: unit.count }
    case 'range':
      return { result: unit.range }
    case 'status':
      return { result: unit.status }
    case 'start':
    case 'stop':
      unit.monitor(asked.ask === 'start')
      return { result: null }
    case 'erase':
      unit.erase()
      return { result: null }
    case 'config':
      return configure(unit, asked.config)
  }
}

function configure(unit: Unit, change: Readonly<Record<string, unknown>>): Said {
  try {
    unit.writeConfig(change)
    return { result: null }
  } catch (error) {
    if (error instanceof ConfigRefusal) return { error: { code: 'rejected', message: error.message } }
    throw error
  }
}

async function* list(unit: Unit, from: number, to: number, pace: Pace, signal: AbortSignal): AsyncGenerator<Said> {
  await pace.spend(listOpeningMs(from), signal)
  if (to > unit.count) return yield noSuchEvent(unit, to - 1)
  for (let at = from; at < to; at += PAGE_EVENTS) {
    const indexes = Array.from({ length: Math.min(PAGE_EVENTS, to - at) }, (_, i) => at + i)
    await pace.spend(EVENT_MS * indexes.length, signal)
    const headers = indexes.map((index) => unit.header(index))
    if (headers.includes(undefined)) return yield noSuchEvent(unit, at)
    yield { piece: headers, done: at + headers.length - from, total: to - from }
  }
  yield { result: to - from }
}

async function* waveform(unit: Unit, index: number, pace: Pace, signal: AbortSignal): AsyncGenerator<Said> {
  const event = unit.recording(index)
  if (!event) {
    await pace.spend(CHUNK_MS, signal)
    return yield noSuchEvent(unit, index)
  }
  const total = Math.ceil(event.sampleCount / CHUNK_SAMPLES)
  for (let done = 1; done <= total; done++) {
    await pace.spend(CHUNK_MS, signal)
    const from = (done - 1) * CHUNK_SAMPLES
    yield { piece: { from, samples: interleaved(event, from) }, done, total }
  }
  const { waveformKey, timestamp, recordType, sampleRate, pretriggerSeconds, scale, sampleCount } = event
  const described = { waveformKey, timestamp, recordType, sampleRate, pretriggerSeconds, scale }
  yield { result: { index, ...described, sampleCount } }
}

/** A chunk from sample `from` on: the four channels in turn, big endian, as base64. */
function interleaved({ samples, sampleCount }: Recording, from: number): string {
  const to = Math.min(sampleCount, from + CHUNK_SAMPLES)
  const bytes = Buffer.alloc((to - from) * CHANNELS.length * 2)
  let at = 0
  for (let i = from; i < to; i++) {
    for (const channel of CHANNELS) at = bytes.writeInt16BE(samples[channel][i] ?? 0, at)
  }
  return bytes.toString('base64')
}

function noSuchEvent(unit: Unit, index: number): Said {
  const message = `${unit.serial} has ${unit.count} events, none with index ${index}`
  return { error: { code: 'no-such-event', message } }
}
