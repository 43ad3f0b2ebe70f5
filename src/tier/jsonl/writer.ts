import { isTidemarkError } from '../../errors.ts'
import { FILE_VALUE_BYTES } from '../value-files.ts'
import type { Lease } from '../tier.ts'
import type { Batch } from './batch.ts'
import type { Log } from './log.ts'
import type { PreparedEntry } from './prepare.ts'
import type { Replica } from './replica.ts'

/** One change in the queue: it puts at most one line into the batch. */
export interface Job {
  /** False until its large value is written. */
  isReady: boolean
  /** Why it cannot be done, if its large value could not be written. */
  failure?: unknown
  /** Adds its line, or returns what came of it without one. */
  readonly compose: (batch: Batch) => { readonly outcome: unknown } | undefined
  readonly settle: (outcome: unknown) => void
  readonly refuse: (error: unknown) => void
  /** The entry it brings, if it brings one. */
  readonly entry?: PreparedEntry | undefined
  /** It is set explicitly: an older value may not stay if that fails. */
  readonly isSet?: boolean
}

/** One append takes about so much at most: a segment has an end. */
const APPEND_BYTES = 8 * 1024 * 1024

/** Explicit sets of small values that follow each other: one promise for all. */
interface SetBatch {
  readonly entries: PreparedEntry[]
  bytes: number
  readonly landed: PromiseWithResolvers<boolean>
}

type Queued = Job | SetBatch

/**
 * Changes that are asked for in one turn of the event loop are appended in one call, in their order, and resolve after it.
 */
export class Writer {
  readonly #log: Log
  readonly #replica: Replica
  #queue: Queued[] = []
  #scheduled = false
  #idle: (() => void)[] = []
  /** Puts more lines at the end of a batch that brings these entries: what has to leave for them. */
  makeRoom: (batch: Batch, entries: readonly PreparedEntry[]) => void = () => {}
  /** Called with sets that found no room, before their callers are told. */
  onSetsRefused: (entries: readonly PreparedEntry[]) => void = () => {}
  /** Runs after every append. */
  afterAppend: () => void = () => {}

  constructor(log: Log, replica: Replica) {
    this.#log = log
    this.#replica = replica
  }

  /** Queues an explicit set. All sets that are appended together share the promise that comes back. */
  set(entry: PreparedEntry): Promise<boolean> {
    let last = this.#queue.at(-1)
    if (!last || !('entries' in last) || last.bytes > APPEND_BYTES) {
      last = { entries: [], bytes: 0, landed: Promise.withResolvers<boolean>() }
      this.#push(last)
    }
    last.entries.push(entry)
    last.bytes += bytesOf(entry)
    return last.landed.promise
  }

  /** Queues what a load brought. False when its lease does not hold. */
  add(entry: PreparedEntry, lease: Lease, ready: Promise<unknown> | undefined): Promise<boolean> {
    const compose: Job['compose'] = (batch) => {
      if (!this.#replica.holds(entry.entry, lease)) return { outcome: false }
      this.#put(entry, batch)
      return undefined
    }
    return this.#enqueue({ compose, entry }, ready) as Promise<boolean>
  }

  /** Queues an explicit set whose value is being written to a file of its own. */
  setLarge(entry: PreparedEntry, ready: Promise<unknown>): Promise<boolean> {
    const compose: Job['compose'] = (batch) => {
      this.#put(entry, batch)
      return undefined
    }
    return this.#enqueue({ compose, entry, isSet: true }, ready) as Promise<boolean>
  }

  /** Queues a line that `compose` makes; it may settle the matter without one. */
  record<T>(compose: (batch: Batch) => { readonly outcome: T } | undefined): Promise<T> {
    return this.#enqueue({ compose }, undefined) as Promise<T>
  }

  /** Appends what is queued and ready now. */
  flush(): void {
    this.#scheduled = false
    const waiting = this.#queue.findIndex((it) => 'isReady' in it && !it.isReady)
    // What follows a value that is still being written waits for it: changes take effect in the order they were asked for.
    const queue = waiting === -1 ? this.#queue : this.#queue.slice(0, waiting)
    this.#queue = waiting === -1 ? [] : this.#queue.slice(waiting)
    for (const part of parts(queue)) this.#append(part)
    if (this.#queue.length === 0) for (const tell of this.#idle.splice(0)) tell()
  }

  /** Resolves when everything that is queued now is appended. */
  async drain(): Promise<void> {
    this.flush()
    if (this.#queue.length > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  #enqueue(change: Pick<Job, 'compose' | 'entry' | 'isSet'>, ready: Promise<unknown> | undefined): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const job: Job = { ...change, isReady: ready === undefined, settle: resolve, refuse: reject }
    const done = (failure?: unknown): void => {
      job.isReady = true
      if (failure !== undefined) job.failure = failure
      this.#schedule()
    }
    ready?.then(() => done(), done)
    this.#push(job)
    return promise
  }

  #push(it: Queued): void {
    this.#queue.push(it)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.flush())
  }

  #append(queue: readonly Queued[]): void {
    const failed = queue.filter((it) => 'failure' in it)
    const able = failed.length === 0 ? queue : queue.filter((it) => !failed.includes(it))
    let settled: readonly (Settled | undefined)[] = []
    try {
      const outcomes = this.#log.append((batch) => (settled = this.#compose(able, batch)))
      settle(able, settled, outcomes)
    } catch (error) {
      this.#refuse(able, error)
    }
    for (const it of failed) this.#refuse([it], (it as Job).failure)
    this.afterAppend()
  }

  #compose(queue: readonly Queued[], batch: Batch): (Settled | undefined)[] {
    const entries: PreparedEntry[] = []
    const settled = queue.map((it) => {
      if ('compose' in it) {
        const settled = it.compose(batch)
        if (it.entry && !settled) entries.push(it.entry)
        return settled
      }
      for (const entry of it.entries) this.#put(entry, batch)
      entries.push(...it.entries)
      return undefined
    })
    this.makeRoom(batch, entries)
    return settled
  }

  #put(entry: PreparedEntry, batch: Batch): void {
    batch.entry(entry, this.#replica.hash.of(entry.entry.key), this.#replica.seen)
  }

  /** Tells everyone; on a full disk, after what the sets were to replace is gone. */
  #refuse(queue: readonly Queued[], error: unknown): void {
    const sets = queue.flatMap((it) => ('entries' in it ? it.entries : it.isSet && it.entry ? [it.entry] : []))
    if (isTidemarkError(error, 'tier-full') && sets.length > 0) this.onSetsRefused(sets)
    for (const it of queue) {
      if ('entries' in it) it.landed.reject(error)
      else it.refuse(error)
    }
  }
}

/** In their order, about {@link APPEND_BYTES} each. */
function* parts(queue: readonly Queued[]): Iterable<readonly Queued[]> {
  let part: Queued[] = []
  let bytes = 0
  for (const it of queue) {
    part.push(it)
    bytes += 'entries' in it ? it.bytes : it.entry ? bytesOf(it.entry) : 0
    if (bytes < APPEND_BYTES) continue
    yield part
    part = []
    bytes = 0
  }
  if (part.length > 0) yield part
}

function bytesOf({ entry, value }: PreparedEntry): number {
  return Math.min(value.bytes, FILE_VALUE_BYTES) + entry.key.id.length
}

interface Settled {
  readonly outcome: unknown
}

/** Outcomes come in the order of the lines: one for each job that wrote one, one for each set. */
function settle(
  queue: readonly Queued[],
  settled: readonly (Settled | undefined)[],
  outcomes: readonly unknown[],
): void {
  let next = 0
  queue.forEach((it, i) => {
    if ('entries' in it) {
      next += it.entries.length
      it.landed.resolve(true)
      return
    }
    const known = settled[i]
    it.settle(known ? known.outcome : outcomes[next++])
  })
}
