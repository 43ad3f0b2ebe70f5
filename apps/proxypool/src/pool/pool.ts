import { join } from 'node:path'
import {
  createTidemark,
  jsonl,
  memory,
  sqlite,
  ttl,
  type HealthCounts,
  type HealthRecord,
  type CheckEntry,
  type Resource,
  type Tidemark,
} from 'tidemark'
import { proxyKey } from '../proxy/address.ts'
import { proxyRecord, type ProxyInput, type ProxyRecord } from '../proxy/record.ts'
import type { PoolOptions } from './options.ts'
import { Chooser, type Strategy } from './strategy.ts'

/** A healthy proxy that may be next. */
export interface Candidate {
  readonly key: string
  readonly responseMs: number
}

/** A proxy as it may be shown: its credentials are not in it. */
export interface ProxyView {
  readonly key: string
  readonly url: string
  readonly source: string
  readonly fetchedAt: string
  readonly hasCredentials: boolean
  readonly health: HealthRecord | undefined
}

const MEMORY_ENTRIES_MAX = 1000
const FILE_ENTRIES_MAX = 5000
const FOR_EVER_MS = 100 * 365 * 86_400_000
/** `next` looks over all proxies at most so often. */
const CANDIDATES_MS = 250

/** Two addresses with one key: 64 bits of a hash met. */
export class KeyCollisionError extends Error {
  override readonly name = 'KeyCollisionError'
}

/**
 * Proxies in three tiers (memory, JSONL, SQLite), with sealed credentials, checked from time to time.
 *
 * @example
 * await using pool = new ProxyPool({ dataDir: 'data/proxies', keyring: keyring.fromEnv('TIDEMARK_KEYS'), check })
 * await pool.add({ url: 'http://user:secret@10.0.0.7:3128' })
 * const proxy = await pool.next('least-latency')
 */
export class ProxyPool implements AsyncDisposable {
  readonly tide: Tidemark
  readonly #proxies: Resource<string, ProxyRecord>
  readonly #chooser = new Chooser()
  readonly #now: () => number
  readonly #ttlBySource: Readonly<Record<string, number>>
  #candidates: { readonly until: number; readonly list: readonly Candidate[] } = { until: 0, list: [] }

  /** Errors: those of `createTidemark`. */
  constructor(options: PoolOptions) {
    const { dataDir, keyring, check, clock, every, timeout, ttlBySource = {} } = options
    this.#now = () => clock?.now() ?? Date.now()
    this.#ttlBySource = ttlBySource
    this.tide = createTidemark({
      tiers: [
        memory({ maxEntries: MEMORY_ENTRIES_MAX * 3 }),
        jsonl({ path: join(dataDir, 'segments'), maxEntries: FILE_ENTRIES_MAX * 3 }),
        sqlite({ path: join(dataDir, 'proxies.db') }),
      ],
      keyring,
      clock,
    })
    this.#proxies = this.tide.resource({
      name: 'proxies',
      load: (key: string): ProxyRecord => {
        throw new Error(`There is no proxy ${key}.`)
      },
      scope: () => 'pool',
      tags: (_key, proxy) => [`source:${proxy.source}`],
      secrets: ['username', 'password'],
      freshness: ttl((proxy: ProxyRecord) => this.#remainingMs(proxy)),
      health: {
        check: (proxy, { signal }) => check(proxy, signal),
        every,
        timeout,
        evictWhenDead: true,
      },
    })
    this.tide.on('event', (event) => {
      if (event.type === 'health' || event.type === 'deleted') this.#candidates = { until: 0, list: [] }
    })
  }

  /** Resolves when the proxies of earlier runs are known. */
  get ready(): Promise<void> {
    return this.#proxies.health.ready
  }

  /** Adds a proxy or replaces it. Resolves to its key. Errors: `ProxyAddressError`, `KeyCollisionError`. */
  async add(input: ProxyInput): Promise<string> {
    const record = proxyRecord(input, this.#now(), this.#ttlBySource)
    const key = proxyKey(record.url)
    const known = await this.#proxies.stored(key)
    if (known && known.url !== record.url) {
      throw new KeyCollisionError(`${record.url} and ${known.url} have one key, ${key}: only one of them can be kept.`)
    }
    await this.#proxies.set(key, record)
    return key
  }

  /** The proxy with its credentials, for whoever is about to use it. */
  get(key: string): Promise<ProxyRecord | undefined> {
    return this.#proxies.stored(key)
  }

  async view(key: string): Promise<ProxyView | undefined> {
    const proxy = await this.#proxies.stored(key)
    if (!proxy) return undefined
    const { url, source, fetchedAt, username, password } = proxy
    const hasCredentials = username !== undefined || password !== undefined
    return { key, url, source, fetchedAt, hasCredentials, health: this.#proxies.health.record(key) }
  }

  /** Resolves to true when there was one. */
  async remove(key: string): Promise<boolean> {
    const had = (await this.#proxies.stored(key)) !== undefined
    await this.#proxies.delete(key)
    return had
  }

  /** Removes all proxies of a source. Resolves to how many. */
  removeSource(source: string): Promise<number> {
    return this.tide.deleteTag(`source:${source}`)
  }

  /** The keys of all proxies, in pages if need be: stop when you have enough. */
  async *keys(): AsyncIterable<string> {
    for await (const { key, state } of this.#proxies.entries()) if (state === 'fresh') yield String(key)
  }

  size(): Promise<number> {
    return this.#proxies.count()
  }

  /** A healthy proxy whose last check was good; `undefined` when there is none. */
  async next(
    strategy: Strategy = 'round-robin',
  ): Promise<{ readonly key: string; readonly proxy: ProxyRecord } | undefined> {
    // One that left between the look and the read is passed over; the list is made anew then.
    for (let attempt = 0; attempt < 3; attempt++) {
      const chosen = this.#chooser.choose(this.#healthy(), strategy)
      if (!chosen) return undefined
      const proxy = await this.#proxies.stored(chosen.key)
      if (proxy) return { key: chosen.key, proxy }
      this.#candidates = { until: 0, list: [] }
    }
    return undefined
  }

  /** A use of the proxy failed. Resolves to true when that removed it from every tier. */
  reportFailure(key: string, error?: string): Promise<boolean> {
    this.#candidates = { until: 0, list: [] }
    return this.#proxies.health.reportFailure(key, error)
  }

  history(key: string): Promise<readonly CheckEntry[]> {
    return this.#proxies.health.history(key)
  }

  get counts(): HealthCounts {
    return this.#proxies.health.counts
  }

  get isDegraded(): boolean {
    return this.#proxies.health.isDegraded
  }

  close(): Promise<void> {
    return this.tide.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #healthy(): readonly Candidate[] {
    const now = this.#now()
    if (now < this.#candidates.until) return this.#candidates.list
    const { health } = this.#proxies
    const list = health.keys('healthy').flatMap((key) => {
      const record = health.record(String(key))
      return record && record.failures === 0 ? [{ key: String(key), responseMs: record.responseMs ?? 0 }] : []
    })
    this.#candidates = { until: now + CANDIDATES_MS, list }
    return list
  }

  #remainingMs({ ttlSeconds, fetchedAt }: ProxyRecord): number {
    if (ttlSeconds === 0) return FOR_EVER_MS
    return Math.max(0, Date.parse(fetchedAt) + ttlSeconds * 1000 - this.#now())
  }
}
