import { readSync } from 'node:fs'
import { isIntact, newHead, readHead, type LineHead } from './line.ts'

/** A line that is no entry's, parsed. */
export type LogRecord = Readonly<Record<string, unknown>>

/** What becomes of the lines of a file. `offset` is where in the file the line begins. */
export interface LineSink {
  entry(head: LineHead, buffer: Buffer, at: number, offset: number): void
  /** False: what follows in this file does not count. */
  record(record: LogRecord, buffer: Buffer, at: number, size: number, offset: number): boolean
  /** A line whose writer was killed before it was whole: nobody was told that it counts, so what it was to replace stays. */
  torn(line: Buffer, offset: number): void
  /** A line that nobody of us wrote, or that was damaged. */
  poison(line: Buffer, offset: number): void
}

const CHUNK_BYTES = 512 * 1024
const NEWLINE = 10
const LINE_START = Buffer.from('{"op":"')
/** How often a line is looked at anew from a later place. */
const RESYNCS_MAX = 4

/** One for all scans: they are synchronous. */
let chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
const head = newHead()

/** Where a scan ended. */
export interface ScanEnd {
  /** Behind the last line that is complete. */
  readonly offset: number
  /** The sink said that nothing more counts. */
  readonly stopped: boolean
}

/** Goes through the complete lines of a file from one place to another; a last line without its end is left alone. */
export function scanFile(fd: number, from: number, to: number, sink: LineSink): ScanEnd {
  let offset = from
  let filled = 0
  try {
    while (offset + filled < to) {
      if (filled === chunk.length) enlarge(filled)
      const wanted = Math.min(chunk.length - filled, to - offset - filled)
      const read = readSync(fd, chunk, filled, wanted, offset + filled)
      if (read === 0) break
      filled += read
      const end = scanBuffer(chunk, filled, offset, sink)
      const done = end.offset - offset
      offset = end.offset
      if (end.stopped) return end
      chunk.copyWithin(0, done, filled)
      filled -= done
    }
  } finally {
    if (chunk.length > CHUNK_BYTES) chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES)
  }
  return { offset, stopped: false }
}

/** The same for lines that are in memory already; `offset` is where the buffer begins in the file. */
export function scanBuffer(buffer: Buffer, length: number, offset: number, sink: LineSink): ScanEnd {
  let at = 0
  while (at < length) {
    const newline = buffer.indexOf(NEWLINE, at)
    if (newline === -1 || newline >= length) break
    const size = newline + 1 - at
    // The end of the line must be where its head says: a torn line, ended later, is not taken for a whole one.
    const isEntry = readHead(buffer, at, head)
    if (isEntry && head.size === size) sink.entry(head, buffer, at, offset + at)
    else if (isEntry && head.size > size && isLast(buffer, length, at + size)) break
    else if (isEntry && head.size > size && isNext(buffer, length, at + size))
      sink.torn(buffer.subarray(at, at + size), offset + at)
    else if (size > 1 && !scanOther(buffer, at, size, offset, sink))
      return { offset: offset + at + size, stopped: true }
    at += size
  }
  return { offset: offset + at, stopped: false }
}

/** True when a line of ours begins here: whoever finds a torn one ends it first. */
function isNext(buffer: Buffer, length: number, from: number): boolean {
  const at = skipNewlines(buffer, length, from)
  return length - at >= LINE_START.length && buffer.compare(LINE_START, 0, undefined, at, at + LINE_START.length) === 0
}

/** True when too little follows to tell; every process shall read the same out of it, so it waits for the rest. */
function isLast(buffer: Buffer, length: number, from: number): boolean {
  return length - skipNewlines(buffer, length, from) < LINE_START.length
}

function skipNewlines(buffer: Buffer, length: number, from: number): number {
  let at = from
  while (at < length && buffer[at] === NEWLINE) at++
  return at
}

/** A line that is no entry's, or was damaged. In one that was glued to a torn one the rest is looked for. */
function scanOther(buffer: Buffer, start: number, whole: number, offset: number, sink: LineSink): boolean {
  let at = start
  for (let tries = 0; tries < RESYNCS_MAX; tries++) {
    const size = start + whole - at
    if (isIntact(buffer, at, size)) {
      const parsed = parsedObject(buffer.toString('utf8', at, at + size))
      if (parsed) return sink.record(parsed, buffer, at, size, offset + at)
    }
    const next = buffer.indexOf(LINE_START, at + 1)
    if (next === -1 || next >= start + whole) break
    // Where a whole line ends the next one begins: if that is so here, its end was damaged.
    const isTorn = readHead(buffer, at, head) && head.size > next - at && !isNext(buffer, start + whole, at + head.size)
    if (isTorn) sink.torn(buffer.subarray(at, next), offset + at)
    else sink.poison(buffer.subarray(at, next), offset + at)
    at = next
    if (!readHead(buffer, at, head) || head.size !== start + whole - at) continue
    sink.entry(head, buffer, at, offset + at)
    return true
  }
  sink.poison(buffer.subarray(at, start + whole), offset + at)
  return true
}

/** The object a text is, or `undefined` when it is none. */
export function parsedObject(text: string): LogRecord | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as LogRecord) : undefined
  } catch {
    return undefined
  }
}

function enlarge(filled: number): void {
  const larger = Buffer.allocUnsafeSlow(chunk.length * 2)
  chunk.copy(larger, 0, 0, filled)
  chunk = larger
}
