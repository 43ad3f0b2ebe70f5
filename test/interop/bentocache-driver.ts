import type { BaseDriver } from 'bentocache/drivers/base_driver'
import type { L2CacheDriver } from 'bentocache/types'
import type { Tidemark } from 'tidemark'
import { Shelf } from '../../src/interop/shelf.ts'

type DriverOptions = NonNullable<ConstructorParameters<typeof BaseDriver>[0]>

const shelvesOf = new WeakMap<Tidemark, Shelf>()

/**
 * A driver of bentocache over the tiers of a cache: texts by key, with a time to live. What bentocache calls a namespace is
 * a longer prefix, so that one is cleared with all that lies in it.
 */
export class BentocacheDriver implements L2CacheDriver {
  readonly type = 'l2'
  readonly #tide: Tidemark
  readonly #shelf: Shelf
  readonly #prefix: string

  constructor(tide: Tidemark, { prefix = 'bentocache' }: DriverOptions = {}) {
    let shelf = shelvesOf.get(tide)
    if (!shelf) shelvesOf.set(tide, (shelf = new Shelf(tide, 'bentocache')))
    this.#tide = tide
    this.#shelf = shelf
    this.#prefix = prefix
  }

  namespace(namespace: string): BentocacheDriver {
    return new BentocacheDriver(this.#tide, { prefix: this.#key(namespace) })
  }

  async get(key: string): Promise<string | undefined> {
    return (await this.#shelf.get('', this.#key(key))) as string | undefined
  }

  async pull(key: string): Promise<string | undefined> {
    const value = await this.get(key)
    await this.delete(key)
    return value
  }

  async set(key: string, value: string, ttlMs?: number): Promise<boolean> {
    await this.#shelf.set('', this.#key(key), value, ttlMs === undefined ? undefined : Date.now() + ttlMs)
    return true
  }

  delete(key: string): Promise<boolean> {
    return this.#shelf.delete('', this.#key(key))
  }

  async deleteMany(keys: string[]): Promise<boolean> {
    await Promise.all(keys.map((key) => this.delete(key)))
    return true
  }

  clear(): Promise<void> {
    return this.#shelf.clear('', this.#key(''))
  }

  /** The cache is closed by whoever made it. */
  async disconnect(): Promise<void> {}

  #key(key: string): string {
    return `${this.#prefix}:${key}`
  }
}
