// What the control port takes: what a person at the unit, or the weather on its line, would do. Framed like the units'
// own wire: `{ id, do, unit, … }`, answered by `{ id, result }` or `{ id, error }`.

import { fault, type Fault } from './fault.ts'
import { MAX_EVENTS } from '../unit/messages.ts'
import { form, integer, object, oneOf, optional, own, type Check } from '../unit/shape.ts'
import type { RecordType } from './recording.ts'

/** A command for one unit; `counters` without one is for all. */
export type Command =
  | { readonly do: 'erase' | 'behave' | 'refuse' | 'listen'; readonly unit: number }
  | { readonly do: 'refill'; readonly unit: number; readonly events: number }
  | { readonly do: 'record'; readonly unit: number; readonly recordType?: RecordType | undefined }
  | { readonly do: 'misbehave'; readonly unit: number; readonly fault: Fault }
  | {
      readonly do: 'swap'
      readonly unit: number
      readonly serial?: string | undefined
      readonly events?: number | undefined
    }
  | { readonly do: 'counters'; readonly unit?: number | undefined }

const COMMANDS = ['erase', 'refill', 'record', 'misbehave', 'behave', 'swap', 'refuse', 'listen', 'counters'] as const
const events = integer(0, MAX_EVENTS)

/** A command that came over the wire, for a fleet of `units`. */
export function readCommand(units: number): Check<Command> {
  const unitIndex = integer(0, units - 1)
  return (value, at) => {
    const from = object(value, at)
    const take = <T>(name: string, check: Check<T>): T => check(own(from, name), `${at}.${name}`)
    const word = take('do', oneOf(COMMANDS))
    if (word === 'counters') return { do: word, unit: take('unit', optional(unitIndex)) }
    const unit = take('unit', unitIndex)
    switch (word) {
      case 'refill':
        return { do: word, unit, events: take('events', events) }
      case 'record':
        return { do: word, unit, recordType: take('recordType', optional(oneOf(['waveform', 'histogram']))) }
      case 'misbehave':
        return { do: word, unit, fault: take('fault', fault) }
      case 'swap':
        return {
          do: word,
          unit,
          serial: take('serial', optional(form(/^[A-Z]{2}\d{1,5}$/, 'a serial like BE11529'))),
          events: take('events', optional(events)),
        }
      default:
        return { do: word, unit }
    }
  }
}
