import type { Entry } from '../entry.ts'
import { Queue } from '../era/queue.ts'
import { TidemarkError, invalidOption } from '../errors.ts'
import type { Key } from '../key.ts'
import { claimOr } from '../load/claim.ts'
import type { Context } from '../load/context.ts'
import type { VersionOf } from './options.ts'

/** So long a set waits for another process that is writing the same key. */
const CLAIM_WAIT_MS = 1_000

/**
 * `version`: a value with a lower version never takes the place of one with a higher (the same one may), unless it is of
 * another row. In a process keys are compared and stored one at a time; between processes loads are guarded by their lease,
 * sets by a claim.
 */
export class Versions<V> {
  readonly #versionOf: (value: V) => number | VersionOf | null
  readonly #context: Context
  readonly #queues = new Map<string, Queue>()

  constructor(versionOf: (value: V) => number | VersionOf | null, context: Context) {
    this.#versionOf = versionOf
    this.#context = context
  }

  /** Stores what was loaded, unless a later version is there. Resolves to whether it was stored. */
  load(entry: Entry, store: () => Promise<boolean>): Promise<boolean> {
    return this.#exclusively(entry, async () => (await this.#later(entry)) === undefined && store())
  }

  /** Stores what was set. Errors: `older-version` when a later version is there. */
  set(entry: Entry, store: () => Promise<boolean>): Promise<boolean> {
    return this.#exclusively(entry, () =>
      this.#claimed(entry, async () => {
        const later = await this.#later(entry)
        if (later !== undefined) throw olderVersion(entry.key, later)
        return store()
      }),
    )
  }

  /** The version that is stored, if it is later than that of the entry. */
  async #later(entry: Entry): Promise<number | undefined> {
    const { stack, clock } = this.#context
    // Another process may have stored a later one since memory last looked.
    await stack.check()
    const stored = await stack.get(entry.key)
    if (!stored || stored.keepUntil <= clock.now()) return undefined
    const [there, its] = [this.#of(stored), this.#of(entry)]
    if (there === null || its === null || there.of !== its.of) return undefined
    return there.version > its.version ? there.version : undefined
  }

  /** `null`: a value that has none, such as the news that there is no value any more. */
  #of({ key, value }: Entry): { readonly of: string | undefined; readonly version: number } | null {
    const told: unknown = this.#versionOf(value as V)
    if (told === null) return null
    const { of, version } = (typeof told === 'object' ? told : { of: undefined, version: told }) as Partial<VersionOf>
    const isOf = typeof of === (typeof told === 'object' ? 'string' : 'undefined')
    if (isOf && typeof version === 'number' && !Number.isNaN(version)) return { of, version }
    throw invalidOption(`${key.name}.version`, 'a function that gives a number, { of, version }, or null', told)
  }

  async #claimed<T>({ key }: Entry, work: () => Promise<T>): Promise<T> {
    const { stack, owner, clock } = this.#context
    if (!stack.claims) return work()
    const patience = { signal: new AbortController().signal, waitMsMax: CLAIM_WAIT_MS }
    const claim = await claimOr(stack.claims, key, owner, clock, patience, async () => undefined)
    try {
      return await work()
    } finally {
      if ('held' in claim) claim.held()
    }
  }

  #exclusively<T>({ key }: Entry, work: () => Promise<T>): Promise<T> {
    const queue = this.#queues.get(key.id) ?? new Queue()
    this.#queues.set(key.id, queue)
    return queue.run(work).finally(() => {
      if (queue.isIdle && this.#queues.get(key.id) === queue) this.#queues.delete(key.id)
    })
  }
}

function olderVersion({ name, id }: Key, later: number): TidemarkError {
  const message = `${name} has version ${later} of ${id}: an older one does not take its place.`
  return new TidemarkError('older-version', message, { data: { name, key: id, version: later } })
}
