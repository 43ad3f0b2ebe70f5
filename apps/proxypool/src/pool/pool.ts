import { join } from 'node:path'
import {
  createTidemark,
  jsonl,
  memory,
  sqlite,
  systemClock,
  ttl,
  type HealthRecord,
  type CheckEntry,
  type Resource,
  type Tidemark,
} from 'tidemark'
import type { Keyring } from 'tidemark/seal'
import { ProxyAddressError, proxyKey } from '../proxy/address.ts'
import { concealed } from '../proxy/conceal.ts'
import { pastOf } from '../proxy/past.ts'
import { endOf, proxyRecord, type ProxyInput, type ProxyRecord } from '../proxy/record.ts'
import { Candidates, statusOf, type ProxyStatus, type StatusCounts } from './candidates.ts'
import { pageAfter, type KeyPage } from './key-page.ts'
import { NewsDesk, newsOf, type PoolNews } from './news.ts'
import type { PoolOptions } from './options.ts'
import { Chooser, type Strategy } from './strategy.ts'
import { Uses } from './uses.ts'

/** A proxy as it may be shown: its credentials are not in it. */
export interface ProxyView {
  readonly key: string
  readonly url: string
  readonly source: string
  readonly fetchedAt: string
  readonly hasCredentials: boolean
  readonly status: ProxyStatus
  readonly health: HealthRecord | undefined
  /** How often it was handed out by `next`. */
  readonly accessCount: number
  /** ISO 8601; `undefined` when it never was. */
  readonly lastAccessed: string | undefined
}

const MEMORY_ENTRIES_MAX = 1000
const FILE_ENTRIES_MAX = 5000
const ERROR_MAX = 200
const FOR_EVER_MS = 100 * 365 * 86_400_000

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
  readonly #news = new NewsDesk()
  readonly #uses: Uses
  readonly #now: () => number
  readonly #keyring: Keyring
  readonly #ttlBySource: Readonly<Record<string, number>>
  readonly #candidates: Candidates

  /** Errors: those of `createTidemark`. */
  constructor(options: PoolOptions) {
    const { dataDir, keyring, check, every, timeout, ttlBySource = {} } = options
    // The one the cache goes by: two clocks would fall out over a step of the wall clock.
    const clock = options.clock ?? systemClock
    this.#now = () => clock.now()
    this.#keyring = keyring
    this.#ttlBySource = ttlBySource
    this.tide = createTidemark({
      tiers: [
        memory({ maxEntries: MEMORY_ENTRIES_MAX * 3 }),
        jsonl({ path: join(dataDir, 'segments'), maxEntries: FILE_ENTRIES_MAX * 3 }),
        sqlite({ path: join(dataDir, 'proxies.db') }),
      ],
      keyring,
      clock: options.clock,
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
    this.#candidates = new Candidates(this.#proxies.health, this.#now)
    this.#uses = new Uses(this.tide, clock)
    this.tide.on('event', (event) => {
      this.#candidates.heard(event)
      const news = newsOf(event, this.#now())
      if (news) this.#news.tell(news)
    })
  }

  /** Hears of proxies that go down, come back or are given up, and of the pool as a whole. Returns how to stop hearing it. */
  on(listener: (news: PoolNews) => void): () => void {
    return this.#news.on(listener)
  }

  /** The last 200 news, oldest first. */
  get recentNews(): readonly PoolNews[] {
    return this.#news.recent
  }

  /** The time the pool goes by, in milliseconds since 1970. */
  get now(): number {
    return this.#now()
  }

  /** What the keys are called that open what was sealed. */
  get keyIds(): readonly string[] {
    return this.#keyring.keys.map(({ id }) => id)
  }

  /** Resolves when the proxies of earlier runs are known. */
  get ready(): Promise<void> {
    return this.#proxies.health.ready
  }

  /** Adds a proxy or replaces it. Resolves to its key. Errors: `ProxyAddressError`, also for one past its time; `KeyCollisionError`. */
  async add(input: ProxyInput): Promise<string> {
    const { key, outcome } = await this.addUnless(input, () => false)
    if (outcome === 'expired')
      throw new ProxyAddressError('The proxy is past its time: `fetchedAt` and `ttlSeconds` after it are over.')
    return key
  }

  /** The same, unless what is there already will do, or it is past its time. Errors: `ProxyAddressError`, `KeyCollisionError`. */
  async addUnless(
    input: ProxyInput,
    doesKnown: (known: ProxyRecord, record: ProxyRecord) => boolean,
  ): Promise<{ readonly key: string; readonly outcome: 'added' | 'known' | 'expired' }> {
    const record = proxyRecord(input, this.#now(), this.#ttlBySource)
    const past = input.past && pastOf(input.past)
    const key = proxyKey(record.url)
    if ((endOf(record) ?? Number.POSITIVE_INFINITY) <= this.#now()) return { key, outcome: 'expired' }
    const known = await this.#stored(key)
    if (known && known.url !== record.url) {
      throw new KeyCollisionError(`${record.url} and ${known.url} have one key, ${key}: only one of them can be kept.`)
    }
    if (known && doesKnown(known, record)) return { key, outcome: 'known' }
    await this.#proxies.set(key, record)
    if (past?.uses) await this.#uses.restore(key, past.uses)
    if (past?.health) await this.#proxies.health.restore(key, past.health)
    return { key, outcome: 'added' }
  }

  /** The proxy with its credentials, for whoever is about to use it. */
  get(key: string): Promise<ProxyRecord | undefined> {
    return this.#stored(key)
  }

  async view(key: string): Promise<ProxyView | undefined> {
    const proxy = await this.#stored(key)
    if (!proxy) return undefined
    const { url, source, fetchedAt, username, password } = proxy
    const hasCredentials = username !== undefined || password !== undefined
    const health = this.#proxies.health.record(key)
    const use = await this.#uses.of(key)
    const lastAccessed = use && new Date(use.lastAt).toISOString()
    const status = statusOf(health)
    return { key, url, source, fetchedAt, hasCredentials, status, health, accessCount: use?.count ?? 0, lastAccessed }
  }

  /** Resolves to true when there was one. */
  async remove(key: string): Promise<boolean> {
    const had = (await this.#stored(key)) !== undefined
    await this.#proxies.delete(key)
    await this.#uses.forget(key)
    return had
  }

  /** Removes all proxies of a source. Resolves to how many. */
  removeSource(source: string): Promise<number> {
    return this.tide.deleteTag(`source:${source}`)
  }

  /** The keys of all proxies, in pages if need be: stop when you have enough. */
  async *keys(): AsyncIterable<string> {
    for await (const { key, state } of this.#proxies.entries()) if (state !== 'expired') yield String(key)
  }

  /** The first keys after one, in their order, whether that one is still there or not. */
  page(limit: number, after?: string): Promise<KeyPage> {
    return pageAfter(this.keys(), limit, after)
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
      const chosen = this.#chooser.choose(this.#candidates.list, strategy)
      if (!chosen) return undefined
      const proxy = await this.#stored(chosen.key)
      if (proxy) {
        this.#uses.add(chosen.key)
        return { key: chosen.key, proxy }
      }
      this.#candidates.lookAgain()
    }
    return undefined
  }

  /** A use of the proxy failed. Resolves to true when that removed it from every tier. */
  async reportFailure(key: string, error?: string): Promise<boolean> {
    this.#candidates.lookAgain()
    // Clients put addresses into their errors as they got them: with credentials.
    const shown = error === undefined ? undefined : concealed(error, await this.#stored(key)).slice(0, ERROR_MAX)
    return this.#proxies.health.reportFailure(key, shown)
  }

  history(key: string): Promise<readonly CheckEntry[]> {
    return this.#proxies.health.history(key)
  }

  get counts(): StatusCounts {
    return this.#candidates.counts
  }

  get isDegraded(): boolean {
    return this.#proxies.health.isDegraded
  }

  async close(): Promise<void> {
    // A second close finds nothing to write.
    await this.#uses.flush()
    await this.tide.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** As long as it is kept, also under a clock that was set back: there is no source to load it from again. */
  #stored(key: string): Promise<ProxyRecord | undefined> {
    return this.#proxies.stored(key, { stale: true })
  }

  #remainingMs(proxy: ProxyRecord): number {
    const end = endOf(proxy)
    return Math.min(FOR_EVER_MS, Math.max(0, (end ?? Number.POSITIVE_INFINITY) - this.#now()))
  }
}
