// How a unit or its line can misbehave, and what an answer then looks like on the wire.

import { integer, mismatch, oneOf, optional, shape, type Check } from '../unit/shape.ts'
import { MAX_FRAME_BYTES, encodeFrame } from '../unit/wire.ts'
import type { Said } from '../unit/messages.ts'

/** Ways in which an answer can be none. */
export const MALFORMATIONS = [
  /** A frame of bytes that are no JSON. */
  'not-json',
  /** A frame of bytes that are no UTF-8. */
  'not-utf8',
  'empty-frame',
  /** A frame that announces four gigabytes. */
  'absurd-length',
  /** JSON, but text where an object or a number belongs. */
  'wrong-shape',
  /** The answer to another request. */
  'wrong-id',
  /** A long answer that is closed one piece too early; a short one has the wrong shape. */
  'cut-short',
] as const

/** One of {@link MALFORMATIONS}. */
export type Malformation = (typeof MALFORMATIONS)[number]

/** What goes wrong, in each conversation or in the next `times`. */
export type Fault = (
  | {
      /** `drop`: the line breaks in the middle of a frame; `reset`: with a reset instead of a goodbye. */
      readonly kind: 'drop' | 'reset'
      /** Whole frames that still come through; a shorter answer breaks in its last frame. Defaults to 0. */
      readonly afterFrames?: number | undefined
    }
  | {
      readonly kind: 'slow'
      /** Milliseconds before the answer begins, on this machine's clock whatever the scale. */
      readonly extraMs: number
    }
  /** No answer at all, and the line stays open. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'malformed'; readonly how: Malformation }
) & {
  /** Conversations it lasts. Defaults to all until `behave`. */
  readonly times?: number | undefined
}

const TIMES_MAX = 1_000_000
const fields = shape<{
  kind: 'drop' | 'reset' | 'slow' | 'silent' | 'malformed'
  afterFrames?: number | undefined
  extraMs?: number | undefined
  how?: Malformation | undefined
  times?: number | undefined
}>({
  kind: oneOf(['drop', 'reset', 'slow', 'silent', 'malformed']),
  afterFrames: optional(integer(0, TIMES_MAX)),
  extraMs: optional(integer(0, 3_600_000)),
  how: optional(oneOf(MALFORMATIONS)),
  times: optional(integer(1, TIMES_MAX)),
})

/** A fault that came over the wire. */
export const fault: Check<Fault> = (value, at) => {
  const { kind, afterFrames, extraMs, how, times } = fields(value, at)
  switch (kind) {
    case 'drop':
    case 'reset':
      return { kind, afterFrames, times }
    case 'silent':
      return { kind, times }
    case 'slow':
      if (extraMs === undefined) throw mismatch(`${at}.extraMs`, 'milliseconds', extraMs)
      return { kind, extraMs, times }
    case 'malformed':
      if (how === undefined) throw mismatch(`${at}.how`, `one of ${MALFORMATIONS.join(', ')}`, how)
      return { kind, how, times }
  }
}

/** The bytes of one frame of an answer, spoilt; empty where nothing is sent in its place. */
export function malformed(how: Malformation, id: number, said: Said, piecesBefore: number): Buffer {
  switch (how) {
    case 'not-json':
      return framed(Buffer.from('{"id": 1, "result": oops'))
    case 'not-utf8':
      return framed(Buffer.from([0x22, 0xc3, 0x28, 0x22]))
    case 'empty-frame':
      return framed(Buffer.alloc(0))
    case 'absurd-length':
      return Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff]), Buffer.alloc(MAX_FRAME_BYTES / 4, '{')])
    case 'wrong-id':
      return encodeFrame({ id: id + 1, ...said })
    case 'wrong-shape':
      return encodeFrame({ id, ...wrongShape(said) })
    case 'cut-short':
      if ('piece' in said) return said.done < said.total ? encodeFrame({ id, ...said }) : Buffer.alloc(0)
      return encodeFrame({ id, ...(piecesBefore > 0 ? said : wrongShape(said)) })
  }
}

function wrongShape(said: Said): Said {
  if ('piece' in said) return { ...said, piece: 'what?' }
  return 'result' in said ? { result: 'what?' } : said
}

function framed(body: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.byteLength)
  return Buffer.concat([head, body])
}
