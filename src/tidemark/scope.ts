import type { CountsByName } from '../era/era.ts'
import type { Context } from '../load/context.ts'

/** Everything that belongs to one scope, under whatever name. Made by `tide.scope`. */
export class Scope {
  readonly name: string
  readonly #context: Context

  constructor(name: string, context: Context) {
    this.name = name
    this.#context = context
  }

  /** Removes it from every tier. Resolves to the number of entries by name. */
  async clear(): Promise<CountsByName> {
    this.#context.refuseIfClosed()
    const { stack, hub } = this.#context
    const selector = { kind: 'scope', scope: this.name } as const
    const counts: Record<string, number> = {}
    for await (const { key } of stack.keys(selector)) {
      if (!key.name.includes('#')) counts[key.name] = (counts[key.name] ?? 0) + 1
    }
    await stack.remove(selector)
    for (const [name, count] of Object.entries(counts)) hub.of(name).evictions.explicit += count
    hub.emit({ type: 'deleted', scope: this.name, count: Object.values(counts).reduce((sum, n) => sum + n, 0) })
    return counts
  }

  /** Marks it stale: values may still be handed out within their windows. Resolves to how many entries that concerned. */
  async invalidate(): Promise<number> {
    this.#context.refuseIfClosed()
    const { stack, hub, clock } = this.#context
    const now = clock.now()
    const selector = { kind: 'scope', scope: this.name } as const
    let count = 0
    for await (const { key, freshUntil } of stack.keys(selector))
      if (now < freshUntil && !key.name.includes('#')) count++
    await stack.remove(selector, now)
    hub.emit({ type: 'invalidated', scope: this.name, count })
    return count
  }
}
