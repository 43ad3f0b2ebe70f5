/** What lines are read from: a stream, or texts in any pieces. */
export type LineSource = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>

/** The lines of a text that comes in pieces, with their numbers from 1; empty ones are left out. */
export async function* linesOf(source: LineSource): AsyncIterable<{ readonly number: number; readonly text: string }> {
  const decoder = new TextDecoder()
  let number = 0
  let open = ''
  for await (const piece of source) {
    // Only at \n: a value may hold any other character that some take for the end of a line.
    const lines = (typeof piece === 'string' ? piece : decoder.decode(piece, { stream: true })).split('\n')
    lines[0] = open + (lines[0] ?? '')
    open = lines.pop() ?? ''
    for (const text of lines) {
      number++
      if (text !== '') yield { number, text }
    }
  }
  open += decoder.decode()
  if (open !== '') yield { number: number + 1, text: open }
}
