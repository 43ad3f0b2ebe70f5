import { createHash, randomBytes } from 'node:crypto'
import { systemClock, type Clock } from '../../clock.ts'
import type { Compression } from '../../codec/compression.ts'
import type { Entry, KeyInfo } from '../../entry.ts'
import type { TidemarkError } from '../../errors.ts'
import type { Key, Selector } from '../../key.ts'
import { CLOCK_SKEW_MS_MAX } from '../../policy/judge.ts'
import { slotOfSelector, slotsOfEntry } from '../../slot.ts'
import { Changes } from '../changes.ts'
import type { Capabilities, ChangeFeed, Claims, Lease, MaybePromise, Tier, TierHost, TierReport } from '../tier.ts'
import { Capacity } from './capacity.ts'
import { PostgresClaims } from './claims.ts'
import { PostgresFeed } from './feed.ts'
import { Lane } from './lane.ts'
import { arrayOf, hashOf, tableTargetOf } from './layout.ts'
import { Link } from './link.ts'
import { resolvePostgres, type PostgresOptions } from './options.ts'
import { Place } from './place.ts'
import { queriesOf, type Queries } from './query.ts'
import { Reads } from './reads.ts'
import { locksOfStore, prepareRow, rowParameters, type PreparedRow } from './row.ts'
import { Sets } from './sets.ts'
import { Sweeper } from './sweeper.ts'
import { Walk } from './walk.ts'
import { Writer } from './writer.ts'

/**
 * The tier several machines share where there is PostgreSQL and nothing else: 13 or later, in tables that are not logged. It
 * holds entries, tells other processes what changed, and grants claims. Errors: `invalid-option`, `unknown-option`; any
 * trouble with the server is a state of the tier, not an exception.
 *
 * @example
 * const pool = new Pool({ connectionString: process.env.DATABASE_URL })
 * createTidemark({ tiers: [memory(), postgres({ client: pool })] })
 */
export function postgres(options: PostgresOptions): Tier {
  return new PostgresTier(options)
}

class PostgresTier implements Tier {
  readonly name = 'postgres'
  readonly capabilities: Capabilities
  readonly feed: ChangeFeed
  readonly claims: Claims
  readonly #compression: Compression | undefined
  readonly #maxEntryBytes: number
  /** Names this process in its own changes. */
  readonly #origin = randomBytes(9).toString('base64url')
  readonly #link: Link
  readonly #queries: Queries
  readonly #changes = new Changes()
  readonly #place: Place
  readonly #writer: Writer
  readonly #lane: Lane
  readonly #sets: Sets
  readonly #capacity: Capacity
  readonly #reads: Reads
  readonly #walk: Walk
  readonly #sweeper: Sweeper
  #clock: Clock = systemClock
  #report: (news: TierReport) => void = () => {}

  constructor(options: PostgresOptions) {
    const { client, listen, schema, maxEntryBytes, compression, ...limits } = resolvePostgres(options)
    this.#compression = compression
    this.#maxEntryBytes = maxEntryBytes
    this.capabilities = {
      persistent: true,
      shared: true,
      sync: false,
      maxEntryBytes,
      ...(compression && { compression }),
    }
    const [link, changes, queries, origin] = [new Link(client), this.#changes, queriesOf(schema), this.#origin]
    this.#link = link
    this.#queries = queries
    const place = new Place(link, queries, changes)
    this.#place = place
    const writer = new Writer(link, place, changes)
    this.#writer = writer
    const report = (news: TierReport): void => this.#report(news)
    const now = (): number => this.#clock.now()
    const capacity = new Capacity(limits, link, queries, report)
    this.#capacity = capacity
    this.#lane = new Lane(link)
    this.#sets = new Sets({ origin, lane: this.#lane, place, put: queries.put, writer, capacity })
    this.#reads = new Reads({
      place,
      query: queries.read,
      now,
      visited: (hash) => capacity.visit(hash),
      unreadable: (key, error, frame) => this.#unreadable(key, error, frame),
    })
    this.#walk = new Walk(place, queries, now)
    this.#sweeper = new Sweeper(place, queries, report)
    this.feed = new PostgresFeed({ origin, listen, queries, place, changes })
    this.claims = new PostgresClaims({ origin, place, queries, writer, clock: () => this.#clock })
  }

  attach(host: TierHost): void {
    this.#clock = host.clock
    this.#report = (news) => host.report(news)
    if (host.budgetMs !== undefined) this.#link.budgetMs = host.budgetMs
    this.#place.readOnly = host.readOnly ?? false
  }

  get(key: Key): Promise<Entry | undefined> {
    return this.#reads.get(key)
  }

  getMany(keys: readonly Key[]): Promise<(Entry | undefined)[]> {
    return Promise.all(keys.map((key) => this.#reads.get(key)))
  }

  /** Once the tables are known a lease is a count of this process and costs nothing. */
  lease(): MaybePromise<Lease> {
    return this.#place.isReady ? this.#changes.lease() : this.#place.ready().then(() => this.#changes.lease())
  }

  /** A value that cannot be stored is refused in this turn: before another tier has it. */
  put(entry: Entry, lease?: Lease): Promise<boolean> {
    const row = prepareRow(entry, this.#compression)
    const { valueBytes } = row.frame
    if (valueBytes > this.#maxEntryBytes) return this.#skip(entry.key, valueBytes)
    if (lease !== undefined) return this.#store(row, lease)
    if (entry.keepUntil <= this.#clock.now()) return this.remove({ kind: 'key', key: entry.key }).then(() => true)
    this.#changes.touch(row.slot)
    return this.#sets.set(row)
  }

  /** After what was asked for before, and before what is asked for later. */
  remove(selector: Selector, staleAt?: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const issuedAtMs = performance.now()
    const slot = slotOfSelector(selector)
    this.#changes.touch(slot)
    const run = async (): Promise<void> => resolve(await this.#remove(selector, slot, staleAt, issuedAtMs))
    this.#lane.add({ what: 'remove', issuedAtMs, run, refuse: reject })
    return promise
  }

  keys(selector: Selector): AsyncIterable<KeyInfo> {
    return this.#walk.keys(selector)
  }

  count(selector: Selector): Promise<number> {
    return this.#walk.count(selector)
  }

  sweep(now: number, limit: number): Promise<number> {
    return this.#sweeper.sweep(now, limit)
  }

  /** Lets go of the client, which stays open. */
  async close(): Promise<void> {
    await this.#capacity.settled()
  }

  async #store(row: PreparedRow, lease: Lease): Promise<boolean> {
    const { entry, frame } = row
    const issuedAtMs = performance.now()
    const now = this.#clock.now()
    if (entry.keepUntil <= now) return true
    const slots = slotsOfEntry(entry.key, entry)
    const answer = await this.#writer.run({
      query: this.#queries.put,
      values: () => {
        // What was heard of is checked here, what comes after `known` by the function.
        if (!this.#changes.holds(entry, lease)) return undefined
        const locks = locksOfStore(slots)
        const { known } = this.#place
        return [...locks, this.#origin, known, false, arrayOf(slots), now + CLOCK_SKEW_MS_MAX, ...rowParameters([row])]
      },
      slots: [],
      issuedAtMs,
    })
    if (answer) this.#capacity.stored(1, frame.bytes.byteLength - frame.valueAt)
    return answer !== undefined
  }

  async #remove(selector: Selector, slot: number, staleAt: number | undefined, issuedAtMs: number): Promise<number> {
    const { kind, hash, label, what } = tableTargetOf(selector)
    const now = this.#clock.now()
    const answer = await this.#writer.run({
      query: this.#queries.remove,
      values: () => [slot, this.#origin, this.#place.known, kind, hash, label, what, now, staleAt ?? null],
      slots: [slot],
      issuedAtMs,
    })
    return Number(answer?.['touched'])
  }

  async #skip(key: Key, bytes: number): Promise<boolean> {
    // The older value may not stay in its place.
    await this.remove({ kind: 'key', key })
    const message = `${bytes} bytes, the limit is ${this.#maxEntryBytes}`
    this.#report({ kind: 'skipped', key, why: 'too-large', message })
    return true
  }

  /** A miss and a count. What is damaged is removed, what a newer version wrote is left to it. */
  #unreadable(key: Key, error: TidemarkError, frame: Buffer): void {
    this.#report({ kind: 'corrupt', key, message: error.message })
    if (error.code === 'tier-newer' || this.#place.readOnly) return
    const parameters = [hashOf(key), createHash('md5').update(frame).digest('hex')]
    this.#link
      .run(this.#queries.discard, parameters)
      .catch((failure: unknown) => this.#report({ kind: 'failed', operation: 'discard damaged entry', error: failure }))
  }
}
