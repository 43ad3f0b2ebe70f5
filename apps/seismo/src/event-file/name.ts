// The name of an event file says which unit recorded it and when: `<letter><3 digits><4-character stem>.<extension>`.

import { EventFileError } from './error.ts'
import { SECONDS_MAX, formatLocal, secondsOf } from './local-time.ts'

/** How a file came to be: called home by a unit after a waveform or a histogram, or fetched by hand. */
export type EventFileKind = 'waveform' | 'histogram' | 'manual'

/** What a name says. */
export interface EventFileIdentity {
  /** `BE` and the number, without zeros in front. */
  readonly serial: string
  /** The unit's own clock, without zone: `2026-05-01T13:16:34`. */
  readonly time: string
  readonly kind: EventFileKind
}

const LETTERS = { waveform: 'W', histogram: 'H', manual: '' } as const
const KINDS: Readonly<Record<string, EventFileKind>> = { W: 'waveform', H: 'histogram', '': 'manual' }
const FIRST_LETTER = 'B'.charCodeAt(0)
/** After 24 999 the letters run past Z. */
const SERIAL_MAX = 24_999
/** Seconds a stem stands for: what two digits of the extension count. */
const STEM_SECONDS = 36 ** 2

/**
 * The name of the file of an event. Throws `event-file-name` for a serial or a time that no name can say.
 *
 * @example
 * eventFileName({ serial: 'BE11529', time: '2026-05-01T13:16:34', kind: 'waveform' }) // 'M529LKIQ.7M0W'
 */
export function eventFileName({ serial, time, kind }: EventFileIdentity): string {
  const [, digits] = /^BE(0|[1-9]\d{0,4})$/.exec(serial) ?? []
  const number = Number(digits)
  if (digits === undefined || number > SERIAL_MAX)
    throw nameError(`Expected a serial from BE0 to BE${SERIAL_MAX}, got '${shown(serial)}'.`)
  if (!Object.hasOwn(LETTERS, kind))
    throw nameError(`Expected a kind of ${Object.keys(LETTERS).join(', ')}, got '${shown(kind)}'.`)
  const seconds = secondsOf(time)
  if (seconds === undefined || seconds < 0 || seconds > SECONDS_MAX)
    throw nameError(`Expected a time from 1985-01-01T00:00:00 to 2053-12-24T05:45:35, got '${shown(time)}'.`)
  const letter = String.fromCharCode(FIRST_LETTER + Math.floor(number / 1000))
  const stem = base36(Math.floor(seconds / STEM_SECONDS), 4)
  return `${letter}${String(number % 1000).padStart(3, '0')}${stem}.${base36(seconds % STEM_SECONDS, 2)}0${LETTERS[kind]}`
}

/** What a name says: the inverse of {@link eventFileName}. Throws `event-file-name` for what is no such name. */
export function parseEventFileName(name: string): EventFileIdentity {
  const match = /^([B-Z])(\d{3})([0-9A-Z]{4})\.([0-9A-Z]{2})0([WH]?)$/.exec(name)
  if (!match) throw nameError(`Expected the name of an event file like M529LKIQ.7M0W, got '${shown(name)}'.`)
  const [, letter = '', digits = '', stem = '', extension = '', kind = ''] = match
  const number = (letter.charCodeAt(0) - FIRST_LETTER) * 1000 + Number(digits)
  const seconds = Number.parseInt(stem, 36) * STEM_SECONDS + Number.parseInt(extension, 36)
  return { serial: `BE${number}`, time: formatLocal(seconds), kind: KINDS[kind] as EventFileKind }
}

function base36(value: number, width: number): string {
  return value.toString(36).toUpperCase().padStart(width, '0')
}

function shown(value: unknown): string {
  return String(value).slice(0, 60)
}

function nameError(message: string): EventFileError {
  return new EventFileError('event-file-name', message)
}
