import { TidemarkError, isTidemarkError } from '../../errors.ts'
import { within } from '../../stack/deadline.ts'

/** What a tier needs of a storage adapter of Keyv 5 or 6. A `Map` has it as well. */
export interface KeyvStorage {
  /** What was set, or `undefined` or `null`. */
  get(key: string): unknown
  /** `time`: milliseconds to live; milliseconds since 1970 for one that declares `capabilities.expires`; absent: for ever. */
  set(key: string, value: string, time?: number): unknown
  delete(key: string): unknown
  /** All pairs of key and value; a `Map` is asked for its own. */
  iterator?(namespace?: string): AsyncIterable<unknown>
  readonly namespace?: string | undefined
  readonly capabilities?: { readonly expires?: boolean | undefined } | undefined
  on?(event: string, listener: (error: unknown) => void): unknown
  off?(event: string, listener: (error: unknown) => void): unknown
}

/** Longer lives are not told to the store: some count them in 32 bits of seconds, and the tier sweeps by itself. */
const LIFE_MS_MAX = 10 * 365 * 86_400_000
/** An operation that takes longer counts as failed; those of the same key behind it go on. */
const PATIENCE_MS = 30_000

/** A storage adapter with its failures as errors of ours: an adapter may answer `false` where another one throws. */
export class Storage {
  readonly #store: KeyvStorage
  readonly #onError: (error: unknown) => void

  /** `failed` is told of errors the adapter emits: without a listener they would end the process. */
  constructor(store: KeyvStorage, failed: (error: TidemarkError) => void) {
    this.#store = store
    this.#onError = (error) => failed(keyvFailure(error))
    store.on?.('error', this.#onError)
  }

  async get(key: string): Promise<unknown> {
    return (await asked('get', () => this.#store.get(key))) ?? undefined
  }

  /** `leftMs`: how long it is to live from now. */
  async set(key: string, value: string, leftMs: number): Promise<void> {
    const isMortal = leftMs <= LIFE_MS_MAX
    const time = this.#store.capabilities?.expires === true ? Date.now() + leftMs : leftMs
    const done = await asked('set', () =>
      isMortal ? this.#store.set(key, value, Math.ceil(time)) : this.#store.set(key, value),
    )
    if (done === false) throw keyvFailure('it refused a value')
  }

  async delete(key: string): Promise<void> {
    const done = await asked('delete', () => this.#store.delete(key))
    // `false` may mean that there was nothing.
    if (done === false && (await this.get(key)) !== undefined) throw keyvFailure('it did not delete a value')
  }

  /** Every text that lies in it, with its key, whoever it is of. */
  async *texts(): AsyncGenerator<readonly [key: string, text: string]> {
    try {
      for await (const pair of listOf(this.#store)) {
        const [key, text] = Array.isArray(pair) ? (pair as unknown[]) : []
        if (typeof key === 'string' && typeof text === 'string') yield [key, text]
      }
    } catch (error) {
      throw keyvFailure(error)
    }
  }

  /** Lets go of the store, which stays open. */
  release(): void {
    this.#store.off?.('error', this.#onError)
  }
}

/** True for what has the methods of a storage adapter. */
export function isKeyvStorage(value: unknown): value is KeyvStorage {
  if (typeof value !== 'object' || value === null) return false
  return ['get', 'set', 'delete'].every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
}

/** True for a store that can tell what lies in it. */
export function canList(store: KeyvStorage): boolean {
  return typeof store.iterator === 'function' || Symbol.iterator in store
}

function listOf(store: KeyvStorage): AsyncIterable<unknown> | Iterable<unknown> {
  if (store.iterator) return store.iterator(store.namespace)
  return Symbol.iterator in store ? (store as KeyvStorage & Iterable<unknown>) : []
}

async function asked(operation: string, ask: () => unknown): Promise<unknown> {
  try {
    return await within(Promise.resolve(ask()), PATIENCE_MS, `The Keyv store's ${operation}`)
  } catch (error) {
    throw keyvFailure(error)
  }
}

function keyvFailure(error: unknown): TidemarkError {
  if (isTidemarkError(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  return new TidemarkError('tier-unavailable', `The Keyv store: ${message}.`, { cause: error })
}
