import { EventEmitter } from 'node:events'
import { invalidOption, refuseUnknown } from '../../errors.ts'
import type { Tidemark } from '../../tidemark/tidemark.ts'
import { Shelf } from '../shelf.ts'

/** Options of {@link keyvStore}. */
export interface KeyvStoreOptions {
  /** The name its entries have among the resources of the cache. Defaults to `keyv`. */
  readonly name?: string | undefined
  /**
   * Which contract of Keyv it keeps: `5`: times to live in milliseconds; `6`: absolute times. Keyv 6 takes both.
   * Defaults to `5`.
   */
  readonly contract?: 5 | 6 | undefined
}

/** One value of `setMany`: `ttl` in milliseconds (contract 5) or `expires`, milliseconds since 1970 (contract 6). */
export interface KeyvItem {
  readonly key: string
  readonly value: unknown
  readonly ttl?: number | undefined
  readonly expires?: number | undefined
}

/** Every Keyv writes its namespace into its store, so each takes a store of its own; those of one name share the entries. */
const shelvesOf = new WeakMap<Tidemark, Map<string, Shelf>>()

/**
 * The tiers of a cache as a store for Keyv, and through Keyv for whatever takes one, such as cache-manager.
 * Give every Keyv a store of its own; stores of one name share their entries, by namespace.
 * Errors: `name-taken`, `invalid-option`, `unknown-option`.
 *
 * @example
 * const keyv = new Keyv({ store: keyvStore(tide, { name: 'sessions' }) })
 * await keyv.set('a', { user: 1 }, 60_000)
 */
export function keyvStore(tide: Tidemark, options: KeyvStoreOptions = {}): KeyvStore {
  refuseUnknown('keyvStore()', options, ['name', 'contract'])
  const { name = 'keyv', contract = 5 } = options
  if (contract !== 5 && contract !== 6) throw invalidOption('contract', '5 or 6', contract)
  let shelves = shelvesOf.get(tide)
  if (!shelves) shelvesOf.set(tide, (shelves = new Map()))
  let shelf = shelves.get(name)
  if (!shelf) shelves.set(name, (shelf = new Shelf(tide, name)))
  return new KeyvStore(shelf, contract)
}

/** See {@link keyvStore}. The namespace is a scope of the cache; Keyv sets it. */
export class KeyvStore extends EventEmitter {
  namespace: string | undefined
  /** Read by Keyv 5, which iterates only over the databases it knows by name. */
  readonly opts: { readonly dialect: 'sqlite'; readonly url: string } = { dialect: 'sqlite', url: '' }
  /** Read by Keyv 6: absolute times are understood. */
  readonly capabilities: { readonly expires: true } | undefined
  readonly #shelf: Shelf

  /** Use {@link keyvStore}. */
  constructor(shelf: Shelf, contract: 5 | 6) {
    super()
    this.#shelf = shelf
    this.capabilities = contract === 6 ? { expires: true } : undefined
  }

  async get(key: string): Promise<unknown> {
    return this.#shelf.get(this.#scope, key)
  }

  async getMany(keys: readonly string[]): Promise<unknown[]> {
    return Promise.all(keys.map((key) => this.get(key)))
  }

  /**
   * `time`, contract 5: milliseconds to live; absent or 0: for ever. Contract 6: milliseconds since 1970; absent: for ever;
   * a moment that has passed, as 0 has, deletes the key: Keyv 6 takes such a value for expired.
   */
  async set(key: string, value: unknown, time?: number): Promise<boolean> {
    return this.#set(key, value, this.capabilities ? momentOf(time) : endOf(time))
  }

  /** An item says itself which time it has, under either contract. */
  async setMany(items: readonly KeyvItem[]): Promise<boolean[]> {
    return Promise.all(
      items.map(({ key, value, ttl, expires }) => this.#set(key, value, momentOf(expires) ?? endOf(ttl))),
    )
  }

  async delete(key: string): Promise<boolean> {
    return this.#shelf.delete(this.#scope, key)
  }

  /** Contract 5 wants one answer for all, contract 6 one for each. */
  async deleteMany(keys: readonly string[]): Promise<boolean | boolean[]> {
    const deleted = await Promise.all(keys.map((key) => this.delete(key)))
    return this.capabilities ? deleted : deleted.some(Boolean)
  }

  async has(key: string): Promise<boolean> {
    return (await this.get(key)) !== undefined
  }

  async hasMany(keys: readonly string[]): Promise<boolean[]> {
    return Promise.all(keys.map((key) => this.has(key)))
  }

  /** Clears this namespace, and no other. */
  async clear(): Promise<void> {
    await this.#shelf.clear(this.#scope)
  }

  async *iterator(): AsyncGenerator<[string, unknown], void> {
    for (const key of await this.#shelf.keys(this.#scope)) {
      const value = await this.get(key)
      if (value !== undefined) yield [key, value]
    }
  }

  /** The cache is closed by whoever made it. */
  async disconnect(): Promise<void> {}

  get #scope(): string {
    return this.namespace ?? ''
  }

  async #set(key: string, value: unknown, until: number | undefined): Promise<boolean> {
    await this.#shelf.set(this.#scope, key, value, until)
    return true
  }
}

/** When a time to live ends. */
function endOf(ttl: number | undefined): number | undefined {
  return ttl === undefined || ttl <= 0 || !Number.isFinite(ttl) ? undefined : Date.now() + ttl
}

function momentOf(expires: number | undefined): number | undefined {
  return Number.isFinite(expires) ? expires : undefined
}
