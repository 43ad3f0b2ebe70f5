// What gateway and unit say to each other, and the checks of it. A request is one frame. Its answer is any number of
// pieces, each telling how far it has come, then a result; or at any point an error. All carry the request's number.

import { CHANNELS } from './client.ts'
import { amount, flag, form, integer, mismatch, object, oneOf, optional, own, shape, text } from './shape.ts'
import type {
  ComplianceConfig,
  DeviceInfo,
  EventHeader,
  EventStamp,
  MonitorStatus,
  Peaks,
  ProjectInfo,
  StorageRange,
  Waveform,
} from './client.ts'
import type { Check } from './shape.ts'

/** What can be asked of a unit. */
export const QUESTIONS = [
  'info',
  'count',
  'range',
  'events',
  'waveform',
  'status',
  'start',
  'stop',
  'config',
  'erase',
] as const

/** One of {@link QUESTIONS}. */
export type Question = (typeof QUESTIONS)[number]

/** What is asked, without the number of the frame. */
export type Asked =
  | { readonly ask: 'info' | 'count' | 'range' | 'status' | 'start' | 'stop' | 'erase' }
  | { readonly ask: 'events'; readonly from: number; readonly to: number }
  | { readonly ask: 'waveform'; readonly index: number }
  | { readonly ask: 'config'; readonly config: Readonly<Record<string, unknown>> }

/** A request frame. */
export type Request = Asked & { readonly id: number }

/** What a unit says when it will not do what it was asked. */
const REFUSALS = ['no-such-event', 'rejected', 'busy', 'bad-request'] as const

/** An answer frame, without the number of the request. */
export type Said =
  | { readonly piece: unknown; readonly done: number; readonly total: number }
  | { readonly result: unknown }
  | { readonly error: { readonly code: (typeof REFUSALS)[number]; readonly message: string } }

/** More events than any flash holds: what a count, a list and an index are checked against. */
export const MAX_EVENTS = 65_536
/** Per channel: four minutes at the highest rate, 8 MB for all four. */
export const MAX_SAMPLES = 1_048_576
/** Samples per channel in one piece of a waveform; a unit sends fewer. */
export const MAX_PIECE_SAMPLES = 16_384
const MAX_ID = 0x7fff_ffff

const index = integer(0, MAX_EVENTS - 1)
const label = text(256)
const waveformKey = form(/^[0-9a-f]{8}$/i, '8 hex digits')
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})?$/
const timestamp: Check<string> = (value, at) => {
  if (typeof value === 'string' && TIMESTAMP.test(value) && !Number.isNaN(Date.parse(value))) return value
  throw mismatch(at, 'a time in ISO 8601', value)
}
const recordType = oneOf(['waveform', 'histogram'])
const perChannel = (check: Check<number>): Check<Peaks> =>
  shape<Peaks>({ tran: check, vert: check, long: check, micL: check })

const project = shape<ProjectInfo>({
  project: optional(label),
  client: optional(label),
  operator: optional(label),
  location: optional(label),
})

const compliance = shape<ComplianceConfig>({
  project: label,
  client: label,
  operator: label,
  location: label,
  sampleRate: amount(1, 1_000_000),
  recordSeconds: amount(0, 86_400),
  triggerLevel: amount(0, 1000),
})

/** The answer to `info`. */
export const deviceInfo: Check<DeviceInfo> = shape<DeviceInfo>({
  serial: form(/^[\w-]{1,32}$/, 'a serial number'),
  model: label,
  firmware: label,
  compliance,
})

/** The answer to `count`. */
export const eventCount: Check<number> = integer(0, MAX_EVENTS)

const stamp = shape<EventStamp>({ waveformKey, timestamp })

/** The answer to `range`. */
export const storageRange: Check<StorageRange> = shape<StorageRange>({
  count: eventCount,
  first: optional(stamp),
  last: optional(stamp),
})

/** One header in a piece of the answer to `events`. */
export const eventHeader: Check<EventHeader> = shape<EventHeader>({
  index,
  waveformKey: optional(waveformKey),
  timestamp: optional(timestamp),
  recordType,
  peaks: perChannel(amount(0, 1000)),
  project: optional(project),
})

/** A piece of the answer to `waveform`: samples of the four channels in turn, big endian, from sample `from` on. */
export interface WaveformPiece {
  readonly from: number
  /** Base64. */
  readonly samples: string
}

const MAX_PIECE_CHARACTERS = Math.ceil((MAX_PIECE_SAMPLES * CHANNELS.length * 2) / 3) * 4

/** A piece of the answer to `waveform`. */
export const waveformPiece: Check<WaveformPiece> = shape<WaveformPiece>({
  from: integer(0, MAX_SAMPLES - 1),
  samples: text(MAX_PIECE_CHARACTERS),
})

/** The result that closes the answer to `waveform`: what the samples before it are. */
export type WaveformResult = Omit<Waveform, 'samples'> & { readonly sampleCount: number }

/** The result that closes the answer to `waveform`. */
export const waveformResult: Check<WaveformResult> = shape<WaveformResult>({
  index,
  waveformKey: optional(waveformKey),
  timestamp: optional(timestamp),
  recordType,
  // A histogram has one sample per interval of up to an hour.
  sampleRate: amount(1 / 3600, 1_000_000),
  pretriggerSeconds: amount(0, 3600),
  scale: perChannel(amount(Number.MIN_VALUE, 1)),
  sampleCount: integer(1, MAX_SAMPLES),
})

const statusFields = shape<MonitorStatus>({
  isMonitoring: flag,
  batteryV: amount(0, 100),
  memoryTotal: integer(0, 2 ** 40),
  memoryFree: integer(0, 2 ** 40),
})

/** The answer to `status`. */
export const monitorStatus: Check<MonitorStatus> = (value, at) => {
  const status = statusFields(value, at)
  if (status.memoryFree > status.memoryTotal)
    throw mismatch(`${at}.memoryFree`, `at most memoryTotal, ${status.memoryTotal}`, status.memoryFree)
  return status
}

const anyId = integer(0, MAX_ID)
const refusal = shape<{ code: (typeof REFUSALS)[number]; message: string }>({
  code: oneOf(REFUSALS),
  message: text(1000),
})

/** What a frame says in answer to request `id`. Throws `unit-protocol`. */
export function readAnswer(frame: unknown, id: number): Said {
  const answer = object(frame, 'answer')
  const answerId = anyId(own(answer, 'id'), 'answer.id')
  if (answerId !== id) throw mismatch('answer.id', `${id}, the number of the request`, answerId)
  if (Object.hasOwn(answer, 'error')) return { error: refusal(answer['error'], 'answer.error') }
  if (Object.hasOwn(answer, 'result')) return { result: answer['result'] }
  if (!Object.hasOwn(answer, 'piece')) throw mismatch('answer', 'a piece, a result or an error', frame)
  const total = integer(1, MAX_SAMPLES)(own(answer, 'total'), 'answer.total')
  const done = integer(1, total)(own(answer, 'done'), 'answer.done')
  return { piece: answer['piece'], done, total }
}

/** What a frame asks of a unit. Throws `unit-protocol`. */
export function readRequest(frame: unknown): Request {
  const request = object(frame, 'request')
  const id = anyId(own(request, 'id'), 'request.id')
  const ask = oneOf(QUESTIONS)(own(request, 'ask'), 'request.ask')
  const boundary = integer(0, MAX_EVENTS)
  switch (ask) {
    case 'events': {
      const to = boundary(own(request, 'to'), 'request.to')
      return { id, ask, from: integer(0, to)(own(request, 'from'), 'request.from'), to }
    }
    case 'waveform':
      return { id, ask, index: index(own(request, 'index'), 'request.index') }
    case 'config':
      return { id, ask, config: object(own(request, 'config'), 'request.config') }
    default:
      return { id, ask }
  }
}
