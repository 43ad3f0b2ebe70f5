import { FOREVER } from '../entry.ts'
import type { Resource } from '../resource/resource.ts'
import type { Tidemark } from '../tidemark/tidemark.ts'
import { ttl } from '../policy/ttl.ts'

/** A value as other libraries' stores keep it: until a moment they name, or for ever. */
interface Kept {
  readonly value: unknown
  /** Milliseconds since 1970; absent: for ever. */
  readonly until?: number
}

/**
 * The tiers of a cache as a plain store of values by string: what the stores of other libraries are made of. Nothing is
 * ever loaded. A namespace is a scope, so it is cleared without touching the others.
 */
export class Shelf {
  readonly #resource: Resource<readonly [namespace: string, key: string], Kept>
  readonly #now: () => number

  /** Takes the name for itself. Errors: `name-taken`, `invalid-option`, `closed`. */
  constructor(tide: Tidemark, name: string, now: () => number = Date.now) {
    this.#now = now
    this.#resource = tide.resource({
      name,
      scope: ([namespace]: readonly [string, string]) => namespace,
      load: (): Kept => {
        throw new Error(`${name} is a store: nothing is loaded into it.`)
      },
      freshness: ttl((kept: Kept) => (kept.until === undefined ? FOREVER - now() : Math.max(0, kept.until - now()))),
    })
  }

  async get(namespace: string, key: string): Promise<unknown> {
    return (await this.#resource.stored([namespace, key]))?.value
  }

  /** `until`: milliseconds since 1970. One that has passed deletes the key. Errors: `invalid-value`. */
  async set(namespace: string, key: string, value: unknown, until?: number): Promise<void> {
    if (until !== undefined && until <= this.#now()) await this.delete(namespace, key)
    else await this.#resource.set([namespace, key], until === undefined ? { value } : { value, until })
  }

  /** True when there was something to delete. */
  async delete(namespace: string, key: string): Promise<boolean> {
    const had = (await this.#resource.stored([namespace, key])) !== undefined
    await this.#resource.delete([namespace, key])
    return had
  }

  /** Deletes one by one, so that stores under other names keep what is theirs in the same scope. */
  async clear(namespace: string, prefix = ''): Promise<void> {
    for (const key of await this.keys(namespace)) {
      if (key.startsWith(prefix)) await this.#resource.delete([namespace, key])
    }
  }

  async keys(namespace: string): Promise<string[]> {
    const keys: string[] = []
    for await (const { key, state } of this.#resource.entries({ scope: namespace })) {
      if (state === 'fresh') keys.push((key as readonly [string, string])[1])
    }
    return keys
  }
}
