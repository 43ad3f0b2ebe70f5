import { Writable } from 'node:stream'
import { invalidOption, refuseUnknown } from '../errors.ts'
import type { Tidemark } from '../tidemark/tidemark.ts'
import { Shelf } from './shelf.ts'

/** Options of {@link undiciStore}. */
export interface UndiciStoreOptions {
  /** The name its entries have among the resources of the cache. Defaults to `undici`. */
  readonly name?: string | undefined
  /** Responses with a larger body are not stored. Defaults to 16 MiB. */
  readonly maxEntryBytes?: number | undefined
}

// Of undici's own makes, `undefined` and `readonly` left out where it leaves them out, so that one fits the other.
type Headers = Record<string, string | string[]>
type Vary = Record<string, string | string[] | null>

/** A request as undici names it. */
export interface UndiciKey {
  readonly origin: string
  readonly method: string
  readonly path: string
  readonly headers?: Headers
}

/** A response without its body, as undici describes it; times are milliseconds since 1970. */
export interface UndiciValue {
  readonly statusCode: number
  readonly statusMessage: string
  readonly headers: Headers
  readonly vary?: Vary
  readonly etag?: string
  readonly cacheControlDirectives?: object
  readonly cachedAt: number
  readonly staleAt: number
  readonly deleteAt: number
}

/** A stored response. */
export type UndiciResponse = UndiciValue & {
  readonly cacheControlDirectives: object
  readonly body: Buffer[]
}

const DEFAULT_MAX_ENTRY_BYTES = 16 * 1024 * 1024

/**
 * The tiers of a cache as the store of undici's HTTP cache, so that cached responses outlive the process.
 * Errors: `name-taken`, `unknown-option`, `invalid-option`.
 *
 * @example
 * const agent = new Agent().compose(interceptors.cache({ store: undiciStore(tide) }))
 */
export function undiciStore(tide: Tidemark, options: UndiciStoreOptions = {}): UndiciStore {
  refuseUnknown('undiciStore()', options, ['name', 'maxEntryBytes'])
  const { name = 'undici', maxEntryBytes = DEFAULT_MAX_ENTRY_BYTES } = options
  if (!(maxEntryBytes > 0)) throw invalidOption('maxEntryBytes', 'a number of bytes above 0', maxEntryBytes)
  return new UndiciStore(new Shelf(tide, name), maxEntryBytes)
}

/** See {@link undiciStore}. */
export class UndiciStore {
  readonly #shelf: Shelf
  readonly #maxEntryBytes: number
  /** Responses to one request that vary by its headers are kept together, so they are changed one after the other. */
  #last: Promise<unknown> = Promise.resolve()

  /** Use {@link undiciStore}. */
  constructor(shelf: Shelf, maxEntryBytes: number) {
    this.#shelf = shelf
    this.#maxEntryBytes = maxEntryBytes
  }

  /** The response to this request, if there is one whose `vary` headers are those of the request. */
  async get(key: UndiciKey): Promise<UndiciResponse | undefined> {
    return (await this.#variants(key)).find((it) => varyFits(it.vary, key.headers))
  }

  /** Takes the body; the response is there when the stream has finished. `undefined` when nothing is to be stored. */
  createWriteStream(key: UndiciKey, value: UndiciValue): Writable | undefined {
    const body: Buffer[] = []
    let bytes = 0
    const limit = this.#maxEntryBytes
    const store = (): Promise<void> => (bytes > limit ? Promise.resolve() : this.#add(key, value, body))
    return new Writable({
      write(chunk: Buffer | string, encoding, done) {
        const buffer = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
        bytes += buffer.length
        // One that is too large is read to its end and forgotten: an error would fail the request it answers.
        if (bytes <= limit) body.push(buffer)
        else body.length = 0
        done()
      },
      final(done) {
        store().then(
          () => done(),
          (error: unknown) => done(error as Error),
        )
      },
    })
  }

  /** Forgets every response to this request. */
  async delete(key: UndiciKey): Promise<void> {
    await this.#inTurn(() => this.#shelf.delete(key.origin, idOf(key)))
  }

  #add(key: UndiciKey, value: UndiciValue, body: Buffer[]): Promise<void> {
    return this.#inTurn(async () => {
      const others = (await this.#variants(key)).filter((it) => !varyFits(it.vary, key.headers))
      const { cacheControlDirectives = {} } = value
      const all = [...others, { ...value, cacheControlDirectives, body: [Buffer.concat(body)] }]
      await this.#shelf.set(key.origin, idOf(key), all, Math.max(...all.map((it) => it.deleteAt)))
    })
  }

  async #variants(key: UndiciKey): Promise<UndiciResponse[]> {
    const stored = ((await this.#shelf.get(key.origin, idOf(key))) ?? []) as UndiciResponse[]
    const now = Date.now()
    return stored.filter((it) => now < it.deleteAt)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => {})
    return turn
  }
}

function idOf({ method, path }: UndiciKey): string {
  return `${method} ${path}`
}

/** RFC 9111, section 4.1: every header that the response varies by is as it was in the request it answered. */
function varyFits(vary: Vary | undefined, headers: Headers | undefined): boolean {
  return Object.entries(vary ?? {}).every(([name, value]) => same(value, headers?.[name] ?? null))
}

function same(a: Vary[string] | undefined, b: Vary[string] | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
