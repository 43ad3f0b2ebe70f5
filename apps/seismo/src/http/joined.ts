import type { JsonObject } from '../cache/record.ts'

/**
 * One JSON object of two: fields of this answer, and behind them those of an object that is written already. The long part is
 * handed on as it is, not copied.
 */
export function joined(
  head: JsonObject,
  body: Uint8Array<ArrayBuffer>,
): { readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>; readonly bytes: number } {
  const start = new TextEncoder().encode(`${JSON.stringify(head).slice(0, -1)},`)
  const rest = body.subarray(1)
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => {
      controller.enqueue(start)
      controller.enqueue(rest)
      controller.close()
    },
  })
  return { stream, bytes: start.byteLength + rest.byteLength }
}
