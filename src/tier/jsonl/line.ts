// One record = one line of JSON. docs/tiers/jsonl.md shows the layout to people.

import { crc32 } from 'node:zlib'

/** How an entry came: set explicitly, or added by a load, which holds only if nothing it belongs to changed after `seen`. */
export type EntryOp = 'set' | 'add'

/**
 * The first part of an entry's line has every number at a fixed place, so that a scan reads them without parsing JSON and
 * jumps over the value. JSON allows the blanks.
 */
const HEAD =
  '{"op":"set","size":         ,"bytes":          ,"format":  ,"hash":                ,' +
  '"loadedAt":                ,"freshUntil":                ,"keepUntil":                ,' +
  '"seen":                ,"by":"                ","check":          ,'

/** Bytes of that part; what the entry belongs to follows it. */
export const HEAD_BYTES: number = HEAD.length
/** Bytes of `,"crc":"01234567"}` and the end of line. */
export const TAIL_BYTES = 19
/** Bytes of a writer's mark: its process id and eight random characters. */
export const MARK_BYTES = 16

interface Field {
  readonly at: number
  readonly width: number
}

const field = (name: string): Field => {
  const at = HEAD.indexOf(`"${name}":`) + name.length + 3
  return { at, width: HEAD.indexOf(',', at) - at }
}
const SIZE = field('size')
const BYTES = field('bytes')
const FORMAT = field('format')
const HASH = field('hash')
const LOADED_AT = field('loadedAt')
const FRESH_UNTIL = field('freshUntil')
const KEEP_UNTIL = field('keepUntil')
const SEEN = field('seen')
const CHECK = field('check')
const MARK_AT = field('by').at + 1

/** The numbers of an entry's line. */
export interface LineHead {
  op: EntryOp
  /** Bytes of the line, its end included. */
  size: number
  /** Bytes of the encoded value, wherever it lies. */
  bytes: number
  /** How the value is encoded; see `value-text.ts`. */
  format: number
  hash: number
  loadedAt: number
  freshUntil: number
  keepUntil: number
  /** The change sequence its writer had taken in. */
  seen: number
}

/** One to be filled. */
export function newHead(): LineHead {
  return {
    op: 'set',
    size: 0,
    bytes: 0,
    format: 0,
    hash: 0,
    loadedAt: 0,
    freshUntil: 0,
    keepUntil: 0,
    seen: 0,
  }
}

/** What ends a line, its checksum left blank. */
export const LINE_END = ',"crc":"        "}\n'

/** Begins an entry's line, its numbers left blank; {@link completeEntry} fills them in. */
export function beginEntry(buffer: Buffer, at: number, mark: string): number {
  buffer.set(HEAD_BLANK, at)
  buffer.write(mark, at + MARK_AT, 'latin1')
  return HEAD_BYTES
}

const HEAD_BLANK = Buffer.from(HEAD)
const OP_AT = '{"op":"'.length
const [S, E, T, A, D] = ['s', 'e', 't', 'a', 'd'].map((it) => it.charCodeAt(0)) as [
  number,
  number,
  number,
  number,
  number,
]

/** Fills in the numbers and the checksums of a line that lies in the buffer. */
export function completeEntry(buffer: Buffer, at: number, head: LineHead): void {
  if (head.op === 'add') buffer.write('add', at + OP_AT, 'latin1')
  putNumber(buffer, at, SIZE, head.size)
  putNumber(buffer, at, BYTES, head.bytes)
  putNumber(buffer, at, FORMAT, head.format)
  putNumber(buffer, at, HASH, head.hash)
  putNumber(buffer, at, LOADED_AT, head.loadedAt)
  putNumber(buffer, at, FRESH_UNTIL, head.freshUntil)
  putNumber(buffer, at, KEEP_UNTIL, head.keepUntil)
  putNumber(buffer, at, SEEN, head.seen)
  putNumber(buffer, at, CHECK, checkOf(head))
  putChecksum(buffer, at, head.size)
}

/**
 * Reads the numbers of an entry's line into `head`. False when there is no entry's line here or its numbers are damaged;
 * the rest of the line is only checked when it is read, because a checksum of every value would double the time of opening.
 */
export function readHead(buffer: Buffer, at: number, head: LineHead): boolean {
  const op = opAt(buffer, at)
  if (op === undefined) return false
  head.op = op
  head.size = numberAt(buffer, at, SIZE)
  head.bytes = numberAt(buffer, at, BYTES)
  head.format = numberAt(buffer, at, FORMAT)
  head.hash = numberAt(buffer, at, HASH)
  head.loadedAt = numberAt(buffer, at, LOADED_AT)
  head.freshUntil = numberAt(buffer, at, FRESH_UNTIL)
  head.keepUntil = numberAt(buffer, at, KEEP_UNTIL)
  head.seen = numberAt(buffer, at, SEEN)
  return numberAt(buffer, at, CHECK) === checkOf(head)
}

/** True when the line was written by this writer. */
export function hasMark(buffer: Buffer, at: number, mark: Buffer): boolean {
  for (let i = 0; i < MARK_BYTES; i++) if (buffer[at + MARK_AT + i] !== mark[i]) return false
  return true
}

/** A line that is no entry's: what changed, was claimed, or is to be known of the files. */
export function recordText(record: object): string {
  return JSON.stringify(record).slice(0, -1) + LINE_END
}

/** Writes the checksum of a line over everything before it. */
export function putChecksum(buffer: Buffer, at: number, size: number): void {
  const crc = crc32(buffer.subarray(at, at + size - TAIL_BYTES))
  const end = at + size - 3
  for (let i = 0, rest = crc; i < 8; i++, rest >>>= 4) buffer[end - 1 - i] = HEX[rest & 15] as number
}

/** True when the line is as it was written. */
export function isIntact(buffer: Buffer, at: number, size: number): boolean {
  if (size <= TAIL_BYTES) return false
  const end = at + size - 3
  let crc = 0
  for (let i = end - 8; i < end; i++) crc = (crc << 4) | hexValue(buffer[i] as number)
  return crc >>> 0 === crc32(buffer.subarray(at, at + size - TAIL_BYTES))
}

const HEX = Buffer.from('0123456789abcdef')

function hexValue(code: number): number {
  return code >= 97 ? code - 87 : code - 48
}

function opAt(buffer: Buffer, at: number): EntryOp | undefined {
  // `{"op":"xxx","size":`: the quote behind the three letters tells an entry's line from all others.
  if (buffer[at] !== 123 || buffer[at + OP_AT - 1] !== 34 || buffer[at + OP_AT + 3] !== 34) return undefined
  const [a, b, c] = [buffer[at + OP_AT], buffer[at + OP_AT + 1], buffer[at + OP_AT + 2]]
  if (a === S && b === E && c === T) return 'set'
  return a === A && b === D && c === D ? 'add' : undefined
}

function putNumber(buffer: Buffer, at: number, { at: from, width }: Field, value: number): void {
  let i = at + from + width - 1
  let rest = value
  // Beyond 2^31 the division is exact, below it is quick.
  for (; rest > 0x7fff_ffff; i--) {
    const next = Math.floor(rest / 10)
    buffer[i] = 48 + (rest - next * 10)
    rest = next
  }
  do {
    const next = (rest / 10) | 0
    buffer[i--] = 48 + (rest - next * 10)
    rest = next
  } while (rest > 0)
}

function numberAt(buffer: Buffer, at: number, { at: from, width }: Field): number {
  let i = at + from
  const end = i + width
  while (i < end && buffer[i] === 32) i++
  let value = 0
  for (; i < end; i++) {
    const digit = (buffer[i] as number) - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}

/** Guards the numbers: each moves it. */
function checkOf(head: LineHead): number {
  let h = fold(head.op === 'set' ? 0x9e3779b9 : 0x7f4a7c15, head.size)
  h = fold(h, head.bytes)
  h = fold(h, head.format)
  h = fold(h, head.hash)
  h = fold(h, head.loadedAt)
  h = fold(h, head.freshUntil)
  h = fold(h, head.keepUntil)
  return fold(h, head.seen) >>> 0
}

function fold(h: number, value: number): number {
  let mixed = Math.imul(h ^ (value >>> 0), 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed ^ (value / 0x1_0000_0000), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
