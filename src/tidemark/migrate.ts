import { compressedLater } from '../codec/stored.ts'
import { encodeValue } from '../codec/value.ts'
import type { Entry, KeyInfo } from '../entry.ts'
import { TidemarkError, isTidemarkError } from '../errors.ts'
import type { Key } from '../key.ts'
import { sealPurpose } from '../seal/sealed-tier.ts'
import { Unopened } from '../seal/unopened.ts'
import type { Lease, Tier, TierReport } from '../tier/tier.ts'
import { absent, isMissing } from './migrate-absent.ts'
import { OtherEras } from './migrate-eras.ts'
import { isExposed, resolveMigrate, type MigrateOptions, type MigrateSettings } from './migrate-options.ts'

/** What became of each entry of the tier that was copied from. */
export interface MigrateCounts {
  /** In the target now; in a dry run: would be. */
  readonly copied: number
  /** Past their time. */
  readonly expired: number
  /** In the target already, as new or newer. */
  readonly older: number
  /** More than the target takes for one entry; an older value of such an entry is not in the target any more. */
  readonly tooLarge: number
  /** That cannot be read, or do not open. */
  readonly damaged: number
  /** Sealed under a key that is not in the keyring. */
  readonly unopened: number
  /** Of another life of their era than the one the target has in that scope. */
  readonly otherEra: number
  /** Changed on either side while they were copied: run it again. */
  readonly changed: number
}

/** What became of one entry. */
export type MigrateOutcome = keyof MigrateCounts

/** An entry that should have been copied and was not. */
export interface MigrateProblem {
  /** `undefined` for something that does not even tell its key. */
  readonly key: Key | undefined
  readonly outcome: MigrateOutcome
  readonly message: string
}

/** What a migration did. */
export interface MigrateReport extends MigrateCounts {
  /** Entries the target dropped for want of room. */
  readonly evicted: number
  /** Why entries were left behind; the first 100. */
  readonly problems: readonly MigrateProblem[]
}

const ALL = { kind: 'all' } as const
/** So many entries, or about so many bytes, are on their way at once. */
const SLICE_ENTRIES = 100
const SLICE_BYTES = 8 * 1024 * 1024
const PROBLEMS_MAX = 100
/** How often a write is tried while another process has the target locked. */
const ATTEMPTS = 50

/**
 * Copies every live entry of one tier to another: values, absolute times, scopes, tags, eras, identities, revisions; what is
 * sealed stays sealed. Never replaces what is as new or newer, so it may be killed and run again. Closes neither tier. The
 * source is only read, and so is the target of a dry run: what is missing is not made, what is damaged stays where it is.
 *
 * Errors: `invalid-option`, `unknown-option`, `keyring-required`; what either tier throws, such as `tier-foreign` or
 * `tier-full`; `tier-unavailable` when there is no source; `tier-corrupt` when the source or the target is damaged as a whole.
 * What is wrong with one entry is counted instead.
 *
 * @example
 * const report = await migrate({ from: sqlite({ path: 'data/cache.db' }), to: jsonl({ path: 'data/segments' }) })
 */
export async function migrate(options: MigrateOptions): Promise<MigrateReport> {
  return new Migration(resolveMigrate(options)).run()
}

class Migration {
  #settings: MigrateSettings
  #eras: OtherEras
  readonly #purposes: { readonly from: string | undefined; readonly to: string | undefined }
  readonly #counts: Record<MigrateOutcome, number> = {
    copied: 0,
    expired: 0,
    older: 0,
    tooLarge: 0,
    damaged: 0,
    unopened: 0,
    otherEra: 0,
    changed: 0,
  }
  readonly #problems: MigrateProblem[] = []
  /** Told by a tier about an entry of the slice on its way. */
  readonly #damaged = new Set<string>()
  readonly #skipped = new Map<string, string>()
  /** That the target was asked for. */
  readonly #names = new Set<string>()
  #evicted = 0
  #isWalking = true
  #failure: unknown

  constructor(settings: MigrateSettings) {
    const { from, to } = settings
    this.#settings = settings
    this.#eras = new OtherEras(from, to)
    const purpose = (tier: Tier): string | undefined => (isExposed(tier) ? sealPurpose(tier) : undefined)
    this.#purposes = { from: purpose(from), to: purpose(to) }
  }

  async run(): Promise<MigrateReport> {
    try {
      this.#attach()
      if (this.#settings.dryRun) await this.#lookForTarget()
      await this.#walk()
      return { ...this.#counts, evicted: this.#evicted, problems: this.#problems }
    } finally {
      this.#isWalking = false
    }
  }

  #attach(): void {
    const { from, to, clock, dryRun } = this.#settings
    // Before everything was stored, nothing is past its time: so the source lists what has expired too, and it is counted.
    const early = (now: () => number): number => (this.#isWalking ? 0 : now())
    from.attach?.({
      clock: {
        now: () => early(() => clock.now()),
        coarse: () => early(() => clock.coarse()),
        schedule: (delayMs, callback) => clock.schedule(delayMs, callback),
      },
      report: (news) => this.#heardOfSource(news),
      readOnly: true,
    })
    // Nothing is made for what cannot be copied.
    this.#refuseFailed()
    to.attach?.({ clock, report: (news) => this.#heardOfTarget(news), readOnly: dryRun })
  }

  /** A target that is not there is not made to see that nothing is in it. */
  async #lookForTarget(): Promise<void> {
    const { from, to } = this.#settings
    try {
      await to.lease()
    } catch (error) {
      if (!isMissing(error)) throw error
      this.#settings = { ...this.#settings, to: absent(to) }
      this.#eras = new OtherEras(from, this.#settings.to)
    }
  }

  #heardOfSource(news: TierReport): void {
    if (news.kind === 'corrupt') this.#heardOfDamage(news.key, news.message)
    if (news.kind === 'quarantined')
      this.#failure ??= new TidemarkError('tier-corrupt', `${this.#settings.from.name}: ${news.reason}`)
    if (news.kind === 'failed' && news.operation === 'open') this.#failure ??= news.error
  }

  #heardOfDamage(key: Key | undefined, message: string): void {
    if (key) this.#damaged.add(idOf(key))
    this.#counts[this.#leave(key, 'damaged', message)]++
  }

  #heardOfTarget(news: TierReport): void {
    if (news.kind === 'skipped') this.#skipped.set(idOf(news.key), news.message)
    if (news.kind === 'evicted' && news.cause === 'size') this.#evicted += news.count
    const { dryRun, to } = this.#settings
    if (news.kind === 'quarantined')
      this.#failure ??= new TidemarkError('tier-corrupt', `${to.name}, the target: ${news.reason}`, {
        hint: 'What was copied before is not in the new one: see why, and run it again.',
      })
    if (news.kind === 'failed' && news.operation === 'open' && !(dryRun && isMissing(news.error)))
      this.#failure ??= news.error
  }

  async #walk(): Promise<void> {
    const { from, onProgress } = this.#settings
    this.#refuseFailed()
    const total = await from.count(ALL)
    let [done, bytes] = [0, 0]
    let slice: KeyInfo[] = []
    const move = async (): Promise<void> => {
      await this.#moveAll(slice)
      this.#refuseFailed()
      slice = []
      bytes = 0
      onProgress(done, Math.max(done, total))
      // Memory answers at once, however much there is.
      await new Promise((resolve) => setImmediate(resolve))
    }
    for await (const info of from.keys(ALL)) {
      done++
      if (!this.#isMeant(info.key.name)) continue
      slice.push(info)
      bytes += info.bytes ?? 0
      if (slice.length >= SLICE_ENTRIES || bytes >= SLICE_BYTES) await move()
    }
    await move()
    // A folder that another process rewrites meanwhile may be listed short. What a network tier counts may have expired in it.
    const missed = from.capabilities.sync ? total - done : 0
    if (missed > 0) this.#counts[this.#leave(undefined, 'changed', `${missed} entries were not listed.`)] += missed
  }

  /** A name's own entries, and what is kept beside them; not what a stack keeps for itself. */
  #isMeant(name: string): boolean {
    const wanted = this.#settings.name
    return !name.startsWith('#') && (wanted === undefined || name === wanted || name.startsWith(`${wanted}#`))
  }

  /** In one turn, so that a tier that commits by turns takes them together. */
  async #moveAll(slice: readonly KeyInfo[]): Promise<void> {
    await this.#greet(slice)
    // Before anything is looked at: what is set or removed in the target from here on stays as it is.
    const lease = await this.#settings.to.lease()
    const outcomes = await Promise.all(slice.map((info) => this.#move(info, lease)))
    for (const outcome of outcomes) if (outcome) this.#counts[outcome]++
    this.#damaged.clear()
    this.#skipped.clear()
  }

  /** A tier over a network learns of a name when it is first asked for it: a lease from before does not hold for it. */
  async #greet(slice: readonly KeyInfo[]): Promise<void> {
    for (const { key } of slice) {
      if (this.#names.has(key.name)) continue
      this.#names.add(key.name)
      await this.#settings.to.get(key)
    }
  }

  async #move({ key, keepUntil }: KeyInfo, lease: Lease): Promise<MigrateOutcome | undefined> {
    const { from, to, clock, dryRun } = this.#settings
    if (keepUntil <= clock.now()) return 'expired'
    const entry = await from.get(key)
    if (!entry) {
      // Damage was counted when it was told.
      const isKnown = this.#damaged.has(idOf(key))
      return isKnown ? undefined : this.#leave(key, 'changed', 'It left while it was to be copied.')
    }
    const there = await to.get(key)
    if (there && !isNews(entry, there)) return 'older'
    if (await this.#eras.has(entry)) return this.#leave(key, 'otherEra', 'The target has another life of this era.')
    return this.#carry(entry, lease, dryRun)
  }

  async #carry(entry: Entry, lease: Lease, dryRun: boolean): Promise<MigrateOutcome> {
    const { to, sealer } = this.#settings
    const { key } = entry
    const carried = sealer.carry(entry, this.#purposes.from, this.#purposes.to, to.capabilities.compression)
    if (carried instanceof Unopened) {
      const isUnknown = carried.reason === 'unknown-key'
      return this.#leave(key, isUnknown ? 'unopened' : 'damaged', carried.error.message)
    }
    if (dryRun) return this.#wouldFit(carried)
    const isStored = await this.#put(carried, lease)
    const refusal = this.#skipped.get(idOf(key))
    if (refusal !== undefined) return this.#leave(key, 'tooLarge', refusal)
    return isStored ? 'copied' : this.#leave(key, 'changed', 'The target was changed meanwhile.')
  }

  async #wouldFit({ key, value }: Entry): Promise<MigrateOutcome> {
    const { maxEntryBytes = Number.POSITIVE_INFINITY, compression } = this.#settings.to.capabilities
    const { data } = await compressedLater(value, encodeValue(value), compression)
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength
    return bytes > maxEntryBytes
      ? this.#leave(key, 'tooLarge', `${bytes} bytes, the limit is ${maxEntryBytes}`)
      : 'copied'
  }

  async #put(entry: Entry, lease: Lease): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#settings.to.put(entry, lease)
      } catch (error) {
        if (attempt >= ATTEMPTS || !isTidemarkError(error, 'tier-busy')) throw error
      }
    }
  }

  #leave(key: Key | undefined, outcome: MigrateOutcome, message: string): MigrateOutcome {
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push({ key, outcome, message })
    return outcome
  }

  #refuseFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }
}

/** True when the entry was made later, or is the same and was invalidated since. */
function isNews(entry: Entry, there: Entry): boolean {
  return entry.loadedAt === there.loadedAt ? entry.freshUntil < there.freshUntil : entry.loadedAt > there.loadedAt
}

function idOf({ name, id }: Key): string {
  return `${name}\0${id}`
}
