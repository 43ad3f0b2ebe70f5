// What a client that has a file already, or wants a part of it, is answered (RFC 9110, sections 13 and 14).

/** The file as it is. */
export interface Representation {
  /** Strong, with its quotes. */
  readonly etag: string
  /** Milliseconds since 1970. */
  readonly modifiedAt: number
  /** Bytes. */
  readonly size: number
}

/** What to answer. `start` to before `end` are the bytes to send. */
export type Answer =
  | { readonly status: 200 | 206; readonly start: number; readonly end: number }
  | { readonly status: 304 }
  | { readonly status: 412 }
  | { readonly status: 416 }

/** What was asked. */
export interface Asked {
  readonly method: string
  readonly header: (name: string) => string | undefined
}

/** Decides by the headers of a GET or a HEAD. A part can only be asked for by a GET. */
export function answerFor({ method, header }: Asked, file: Representation): Answer {
  const refusal = refusalFor(header, file)
  if (refusal) return refusal
  const range = method === 'GET' ? header('range') : undefined
  const whole = { status: 200, start: 0, end: file.size } as const
  if (range === undefined || !isStillMeant(header('if-range'), file.etag, secondOf(file.modifiedAt))) return whole
  return partOf(range, file.size) ?? whole
}

/** Why not to send it: the client has it already, or it is not what the client means. `undefined` when it is to be sent. */
export function refusalFor(
  header: (name: string) => string | undefined,
  file: Omit<Representation, 'size'>,
): { readonly status: 304 | 412 } | undefined {
  const [ifMatch, ifNoneMatch] = [header('if-match'), header('if-none-match')]
  const modified = secondOf(file.modifiedAt)
  if (ifMatch !== undefined) {
    if (!names(ifMatch, file.etag, false)) return { status: 412 }
  } else {
    const unmodifiedSince = dateOf(header('if-unmodified-since'))
    if (unmodifiedSince !== undefined && modified > unmodifiedSince) return { status: 412 }
  }
  if (ifNoneMatch !== undefined) {
    if (names(ifNoneMatch, file.etag, true)) return { status: 304 }
  } else {
    const modifiedSince = dateOf(header('if-modified-since'))
    if (modifiedSince !== undefined && modified <= modifiedSince) return { status: 304 }
  }
  return undefined
}

/** Dates of HTTP know no parts of a second. */
function secondOf(time: number): number {
  return Math.floor(time / 1000) * 1000
}

/** The part a `Range` header names; `undefined` for one that is to be ignored: of another unit, of several parts, or none. */
function partOf(range: string, size: number): Answer | undefined {
  const [, from = '', to = ''] = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(range) ?? []
  if (from === '' && to === '') return undefined
  if (from === '') {
    const last = Math.min(Number(to), size)
    return last === 0 ? { status: 416 } : { status: 206, start: size - last, end: size }
  }
  const start = Number(from)
  if (to !== '' && Number(to) < start) return undefined
  if (start >= size) return { status: 416 }
  return { status: 206, start, end: to === '' ? size : Math.min(Number(to) + 1, size) }
}

/** A part of what the client has is of use only if it has the same. */
function isStillMeant(ifRange: string | undefined, etag: string, modified: number): boolean {
  if (ifRange === undefined) return true
  return ifRange.startsWith('"') ? ifRange === etag : dateOf(ifRange) === modified
}

function names(list: string, etag: string, isWeakEnough: boolean): boolean {
  if (list.trim() === '*') return true
  return list.split(',').some((it) => {
    const tag = it.trim()
    return tag === etag || (isWeakEnough && tag === `W/${etag}`)
  })
}

function dateOf(text: string | undefined): number | undefined {
  const date = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(date) ? undefined : date
}
