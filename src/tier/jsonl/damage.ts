// What a damaged line was about, as far as it can still be told: an older value may not be found in its place.

import type { Key, Selector } from '../../key.ts'
import { SLOTS, slotOfKey, slotOfSelector } from '../../slot.ts'
import { slotOfKeyHash } from './key-hash.ts'
import { newHead, readHead } from './line.ts'
import { keyOf, selectorOf } from './record.ts'
import { parsedObject, type LogRecord } from './scan.ts'

/** Each part is what one place of the line says; a flipped bit spoils one of them at most. */
export interface Damage {
  /** Of an entry's line, or of a removal of one key. */
  readonly key: Key | undefined
  /** Of an entry's line. */
  readonly hash: number | undefined
  /** Of a removal; everything, where it is one and nothing else can be told. */
  readonly selector: Selector | undefined
  readonly slot: number | undefined
}

const NOTHING: Damage = { key: undefined, hash: undefined, selector: undefined, slot: undefined }
/** Every line of ours has two of these at least, even if one was hit. */
const SIGNS = ['"by":"', '"crc":"', '"check":', '"slot":']
/** An entry's line has both of these, even if one was hit; no other has any. */
const SIGNS_OF_ENTRY = ['"check":', '"value":']
/** The same for a removal or a mark. A quote inside a text is escaped: none of these can stand in a name or a tag. */
const SIGNS_OF_REMOVAL = ['"op":"remove"', '"op":"mark"', '"kind":"', '"slot":']
/** Of a longer line only its two ends are looked at. */
const TEXT_BYTES_MAX = 64 * 1024
/** Holds all that follows the names of what a removal is about. */
const END_BYTES = 256
/** The fields of a line, each for itself: of a line that is no JSON any more they can still be told. */
const TEXTS = ['kind', 'name', 'key', 'scope', 'era', 'tag'].map(
  (field) => [field, new RegExp(`"${field}":("(?:[^"\\\\]|\\\\.)*")`)] as const,
)
/** With what ends it: of a number with a hole its beginning would be another slot's. */
const SLOT = /"slot":(\d+),/
const head = newHead()

/** What can be told of a line. */
export function damageOf(line: Buffer): Damage {
  const isLong = line.byteLength > TEXT_BYTES_MAX
  const start = line.toString('utf8', 0, Math.min(line.byteLength, TEXT_BYTES_MAX))
  const text = isLong
    ? `${start}\n${line.toString('utf8', Math.max(line.byteLength - END_BYTES, TEXT_BYTES_MAX))}`
    : start
  // What somebody else wrote is about nothing.
  if (SIGNS.filter((sign) => text.includes(sign)).length < 2) return NOTHING
  const isEntry = hasAny(text, SIGNS_OF_ENTRY)
  const record = parsedObject(text)
  const guessed = guessedRecord(start)
  const key = (record && keyOf(record)) ?? keyOf(guessed)
  const hash = readHead(line, 0, head) ? head.hash : undefined
  // An entry's value may have such fields of its own.
  if (isEntry) return { key, hash, selector: undefined, slot: undefined }
  const slot = numberIn(SLOT.exec(text)?.[1])
  const selector = (record && selectorOf(record)) ?? selectorOf(guessed)
  // Of a long line the slot alone is not enough: a digit of it may be another one, and what it was about was cut off.
  const isUnknown = !selector && !key && (slot === undefined || isLong) && hasAny(text, SIGNS_OF_REMOVAL)
  return { key, hash, selector: isUnknown ? { kind: 'all' } : selector, slot }
}

/** The slots that have to do with it. */
export function slotsOf({ key, hash, selector, slot }: Damage): number[] {
  const slots = [
    key && slotOfKey(key),
    hash === undefined ? undefined : slotOfKeyHash(hash),
    selector && slotOfSelector(selector),
    slot,
  ]
  return slots.filter((it) => it !== undefined && it < SLOTS) as number[]
}

function hasAny(text: string, signs: readonly string[]): boolean {
  return signs.some((sign) => text.includes(sign))
}

function guessedRecord(text: string): LogRecord {
  return Object.fromEntries(TEXTS.map(([field, form]) => [field, textIn(form.exec(text)?.[1])]))
}

function textIn(json: string | undefined): string | undefined {
  try {
    return json === undefined ? undefined : (JSON.parse(json) as string)
  } catch {
    return undefined
  }
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}
