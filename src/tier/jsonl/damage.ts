// What a damaged line was about, as far as it can still be told: an older value may not be found in its place.

import type { Key, Selector } from '../../key.ts'
import { newHead, readHead } from './line.ts'
import { keyOf, selectorOf } from './record.ts'
import { parsedObject } from './scan.ts'

/** Each part is what one place of the line says; a flipped bit spoils one of them at most. */
export interface Damage {
  /** Of an entry's line, or of a removal of one key. */
  readonly key: Key | undefined
  /** Of an entry's line. */
  readonly hash: number | undefined
  /** Of a removal. */
  readonly selector: Selector | undefined
  readonly slot: number | undefined
}

const NOTHING: Damage = { key: undefined, hash: undefined, selector: undefined, slot: undefined }
/** Every line of ours has two of these at least, even if one was hit. */
const SIGNS = ['"by":"', '"crc":"', '"check":', '"slot":']
const TEXT_BYTES_MAX = 64 * 1024
const NAME = /"name":("(?:[^"\\]|\\.)*")/
const KEY = /"key":("(?:[^"\\]|\\.)*")/
const SLOT = /"slot":(\d+)/
const head = newHead()

/** What can be told of a line. */
export function damageOf(line: Buffer): Damage {
  const text = line.toString('utf8', 0, Math.min(line.byteLength, TEXT_BYTES_MAX))
  // What somebody else wrote is about nothing.
  if (SIGNS.filter((sign) => text.includes(sign)).length < 2) return NOTHING
  const record = parsedObject(text)
  const isEntry = text.includes('"value":')
  return {
    key: (record && keyOf(record)) ?? guessedKey(text),
    hash: readHead(line, 0, head) ? head.hash : undefined,
    selector: isEntry || !record ? undefined : selectorOf(record),
    // An entry's value may have such a field of its own.
    slot: isEntry ? undefined : numberIn(SLOT.exec(text)?.[1]),
  }
}

function guessedKey(text: string): Key | undefined {
  const [name, id] = [NAME.exec(text)?.[1], KEY.exec(text)?.[1]]
  if (name === undefined || id === undefined) return undefined
  try {
    return { name: JSON.parse(name) as string, id: JSON.parse(id) as string }
  } catch {
    return undefined
  }
}

function numberIn(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text)
}
