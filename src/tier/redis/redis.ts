import { systemClock, type Clock } from '../../clock.ts'
import type { Compression } from '../../codec/compression.ts'
import type { Entry, KeyInfo } from '../../entry.ts'
import type { TidemarkError } from '../../errors.ts'
import type { Key, Selector } from '../../key.ts'
import { CLOCK_SKEW_MS_MAX } from '../../policy/judge.ts'
import { slotOfKey, slotOfSelector, slotsOfEntry } from '../../slot.ts'
import type { Capabilities, ChangeFeed, Claims, Lease, MaybePromise, Tier, TierHost, TierReport } from '../tier.ts'
import { Changes } from '../changes.ts'
import { RedisClaims } from './claims.ts'
import { lostAgain } from './failure.ts'
import { RedisFeed } from './feed.ts'
import { fieldOf } from '../field.ts'
import { STAMP_BYTES, encodeFrame, type Frame } from '../frame.ts'
import { nameOf, targetOf } from '../groups.ts'
import { newEpoch, unescapeName } from './layout.ts'
import { Link } from './link.ts'
import { Lives } from './lives.ts'
import { resolveRedis, type RedisOptions } from './options.ts'
import { Reads } from './reads.ts'
import { STATUS, Script } from './script.ts'
import { Sweeper } from './sweeper.ts'
import { Walk } from './walk.ts'
import { Writer } from './writer.ts'

/** How often the registry is looked for when it is lost under us. */
const ATTEMPTS = 3

const SCRIPTS = {
  open: new Script('open'),
  register: new Script('register'),
  announce: new Script('announce'),
  changes: new Script('changes'),
  put: new Script('put'),
  remove: new Script('remove'),
  discard: new Script('discard'),
} as const

/**
 * The tier several machines share: Redis 6.2 and later, or Valkey; a single server, Sentinel or Cluster. It holds entries,
 * tells other processes what changed, and grants claims. Errors: `invalid-option`, `unknown-option`; any trouble with the
 * server is a state of the tier, not an exception.
 *
 * @example
 * const client = new Redis(process.env.REDIS_URL)
 * createTidemark({ tiers: [memory(), redis({ client, subscriber: client.duplicate() })] })
 */
export function redis(options: RedisOptions): Tier {
  return new RedisTier(options)
}

class RedisTier implements Tier {
  readonly name = 'redis'
  readonly capabilities: Capabilities
  readonly feed: ChangeFeed
  readonly claims: Claims
  readonly #compression: Compression | undefined
  readonly #maxEntryBytes: number
  readonly #links: readonly Link[]
  readonly #link: Link
  readonly #changes = new Changes()
  readonly #lives: Lives
  readonly #writer: Writer
  readonly #reads: Reads
  readonly #walk: Walk
  readonly #sweeper: Sweeper
  #clock: Clock = systemClock
  #readOnly = false
  #report: (news: TierReport) => void = () => {}

  constructor(options: RedisOptions) {
    const { client, subscriber, prefix, maxEntryBytes, compression } = resolveRedis(options)
    this.#compression = compression
    this.#maxEntryBytes = maxEntryBytes
    this.capabilities = {
      persistent: true,
      shared: true,
      sync: false,
      maxEntryBytes,
      ...(compression && { compression }),
    }
    const link = new Link(client)
    const news = subscriber && new Link(subscriber)
    this.#link = link
    this.#links = news ? [link, news] : [link]
    const { open, register, changes, put, remove } = SCRIPTS
    this.#lives = new Lives(prefix, link, { open, register, changes, writes: [put, remove] }, this.#changes)
    const origin = newEpoch()
    this.#writer = new Writer(prefix, origin, link, this.#lives)
    const now = (): number => this.#clock.now()
    const unreadable = (key: Key, error: TidemarkError, frame: Buffer): void => this.#unreadable(key, error, frame)
    this.#reads = new Reads({ link, lives: this.#lives, now, unreadable })
    this.#walk = new Walk(link, this.#lives, now)
    this.#sweeper = new Sweeper(this.#writer, this.#lives, (it) => this.#report(it))
    this.feed = new RedisFeed({ prefix, origin, link, subscriber: news, lives: this.#lives, changes: this.#changes })
    this.claims = new RedisClaims(this.#writer, this.#changes, () => this.#clock)
  }

  attach(host: TierHost): void {
    this.#clock = host.clock
    this.#report = (news) => host.report(news)
    this.#readOnly = host.readOnly ?? false
    if (host.budgetMs === undefined) return
    this.#writer.budgetMs = host.budgetMs
    this.#lives.budgetMs = host.budgetMs
  }

  get(key: Key): Promise<Entry | undefined> {
    return this.#reads.get(key)
  }

  getMany(keys: readonly Key[]): Promise<(Entry | undefined)[]> {
    return Promise.all(keys.map((key) => this.#reads.get(key)))
  }

  /** Once the registry is known: after that a lease is a count of this process and costs nothing. */
  lease(): MaybePromise<Lease> {
    const lagging = this.#lives.all.filter(({ epoch, newest, known }) => epoch !== '' && newest > known)
    if (this.#lives.isJoined && lagging.length === 0) return this.#changes.lease()
    // Changes of our own may be among what was not taken in; the lease must come after them.
    return Promise.all([this.#lives.join(), ...lagging.map((life) => this.#lives.catchUp(life))]).then(() =>
      this.#changes.lease(),
    )
  }

  put(entry: Entry, lease?: Lease): Promise<boolean> {
    const frame = encodeFrame(entry, this.#compression)
    if (frame.valueBytes > this.#maxEntryBytes) return this.#skip(entry.key, frame.valueBytes)
    return lease === undefined ? this.#set(entry, frame) : this.#store(entry, frame, lease)
  }

  async remove(selector: Selector, staleAt?: number): Promise<number> {
    const issuedAtMs = performance.now()
    const name = nameOf(selector)
    if (name !== undefined) return this.#removeFrom(name, selector, staleAt, issuedAtMs)
    const slot = slotOfSelector(selector)
    this.#changes.touch(slot)
    const counts = (await this.#announce(slot)).map((it) => this.#removeFrom(it, selector, staleAt, issuedAtMs))
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0)
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

  /** Lets go of the clients, which stay open. */
  close(): void {
    for (const link of this.#links) link.release()
  }

  async #set(entry: Entry, frame: Frame): Promise<boolean> {
    const leftMs = entry.keepUntil - this.#clock.now()
    if (leftMs <= 0) return this.remove({ kind: 'key', key: entry.key }).then(() => true)
    const slot = slotOfKey(entry.key)
    this.#changes.touch(slot)
    const args = [...putArgs(entry, frame, leftMs, slot), '', '0', '0']
    const { life, answer } = await this.#writer.write(entry.key.name, SCRIPTS.put, () => args)
    this.#changes.madeOne(life, answer[0] as number, slot)
    return true
  }

  async #store(entry: Entry, frame: Frame, lease: Lease): Promise<boolean> {
    const issuedAtMs = performance.now()
    const now = this.#clock.now()
    if (entry.keepUntil <= now) return true
    const { epoch, known } = await this.#lives.ready(entry.key.name)
    // What was heard of is checked here, what comes after `known` by the script.
    if (epoch === '' || !this.#changes.holds(entry, lease)) return false
    const args = [
      ...putArgs(entry, frame, entry.keepUntil - now, slotOfKey(entry.key)),
      ...[epoch, String(known), String(now + CLOCK_SKEW_MS_MAX)],
      ...slotsOfEntry(entry.key, entry).map(String),
    ]
    const { life, status } = await this.#writer.write(entry.key.name, SCRIPTS.put, () => args, {
      again: false,
      issuedAtMs,
    })
    // The life the lease was of; the writer may have found the next one already.
    if (status === STATUS.gone) this.#lives.lost(life, epoch)
    return status === STATUS.ok
  }

  async #removeFrom(
    name: string,
    selector: Selector,
    staleAt: number | undefined,
    issuedAtMs: number,
  ): Promise<number> {
    const slot = slotOfSelector(selector)
    this.#changes.touch(slot)
    const { kind, what } = targetOf(selector)
    const args = [
      String(slot),
      kind,
      what,
      String(this.#clock.now()),
      staleAt === undefined ? '' : String(staleAt),
      newEpoch(),
    ]
    const { life, epoch, answer } = await this.#writer.write(name, SCRIPTS.remove, () => args, { issuedAtMs })
    const [sequence, count, next] = answer as [number, number, Buffer]
    this.#changes.madeOne(life, sequence, slot)
    // Clearing a name begins its next life.
    if (life.epoch === epoch) life.epoch = next.toString()
    return count
  }

  /** Before a change of several names: one that is used for the first time meanwhile hears of it when it is registered. */
  async #announce(slot: number): Promise<string[]> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const registry = await this.#lives.join()
      const { epoch } = registry
      const [status, sequence, ...labels] = await SCRIPTS.announce.run(this.#link, registry.metaKey, [
        String(slot),
        epoch,
      ])
      if (status !== STATUS.gone) {
        this.#changes.madeOne(registry, sequence as number, slot)
        return labels.map((label) => unescapeName(String(label).slice(1)))
      }
      this.#lives.lost(registry, epoch)
    }
    throw lostAgain('the registry of names')
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
    if (error.code === 'tier-newer' || this.#readOnly) return
    const args = [fieldOf(key.id), frame.subarray(0, STAMP_BYTES)]
    this.#writer
      .write(key.name, SCRIPTS.discard, () => args)
      .catch((failure: unknown) => this.#report({ kind: 'failed', operation: 'discard damaged entry', error: failure }))
  }
}

function putArgs(entry: Entry, frame: Frame, leftMs: number, slot: number): (string | Buffer)[] {
  return [fieldOf(entry.key.id), frame.bytes, String(Math.ceil(leftMs)), String(entry.keepUntil), String(slot)]
}
