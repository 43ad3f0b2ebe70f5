/** Some keys, and where the next page goes on, if there is one. */
export interface KeyPage {
  readonly keys: readonly string[]
  readonly next?: string
}

/**
 * The first `limit` keys after one, in their order, whether that one is still there or not. All keys are looked at for it, and
 * no more than a few pages are held.
 */
export async function pageAfter(all: AsyncIterable<string>, limit: number, after?: string): Promise<KeyPage> {
  let first: string[] = []
  let last: string | undefined
  for await (const key of all) {
    if ((after !== undefined && key <= after) || (last !== undefined && key >= last)) continue
    first.push(key)
    if (first.length < (limit + 1) * 4) continue
    first = first.toSorted().slice(0, limit + 1)
    last = first.at(-1)
  }
  first = first.toSorted()
  const keys = first.slice(0, limit)
  const next = first.length > limit ? keys.at(-1) : undefined
  return next === undefined ? { keys } : { keys, next }
}
