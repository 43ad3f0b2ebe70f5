/** One line of a file, by its number from 1; `undefined` text: it was longer than allowed and was skipped unread. */
export interface NumberedLine {
  readonly number: number
  readonly text: string | undefined
}

/** A longer line is no proxy; it is skipped without being kept. */
export const LINE_BYTES_MAX = 64 * 1024

/** Splits bytes into lines in bounded memory, whatever the lines are. Bytes that are no UTF-8 become U+FFFD. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<NumberedLine> {
  let number = 1
  let parts: Uint8Array[] = []
  let bytes = 0
  let isTooLong = false
  const take = (part: Uint8Array): void => {
    bytes += part.length
    if (bytes > LINE_BYTES_MAX) {
      isTooLong = true
      parts = []
    } else if (part.length > 0) parts.push(part)
  }
  const line = (): NumberedLine => {
    const text = isTooLong ? undefined : withoutMark(Buffer.concat(parts).toString('utf8'), number).replace(/\r$/, '')
    parts = []
    bytes = 0
    isTooLong = false
    return { number: number++, text }
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      take(chunk.subarray(from, at))
      yield line()
      from = at + 1
    }
    take(chunk.subarray(from))
  }
  if (bytes > 0 || isTooLong) yield line()
}

/** Editors of some systems begin a file with a byte order mark. */
function withoutMark(text: string, number: number): string {
  return number === 1 && text.startsWith('\uFEFF') ? text.slice(1) : text
}
