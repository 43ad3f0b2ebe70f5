import { identityConflicts, type Entry, type Identity } from '../entry.ts'
import { TidemarkError, describe } from '../errors.ts'
import type { Context } from '../load/context.ts'
import { runLoader } from '../load/deadline.ts'
import type { Flight } from '../load/flights.ts'
import type { Lease } from '../tier/tier.ts'
import type { Probe } from './options.ts'
import type { Head, Shelf, Snapshot } from './snapshot.ts'

/** What a sync brought. */
export interface Synced<T> {
  readonly items: readonly T[]
  readonly total: number
  /** How many items were not known before. */
  readonly added: number
  /** `new` when the source was erased, shrank, or holds other things than before. */
  readonly era: 'same' | 'new'
  readonly loadedAt: number
  /** False when something changed in every attempt: the items are right, and nothing was stored. */
  readonly stored: boolean
}

const ATTEMPTS = 3
const NOTHING: Snapshot = { entry: undefined, head: undefined, tier: 'source', items: [] }

/**
 * Brings a collection up to the source: probe, end the era if the source lost or changed items, load what is missing,
 * store it with a new head. All under leases from before the probe; when something changed meanwhile, again.
 */
export class Sync<K, T> {
  readonly #shelf: Shelf<K, T>
  readonly #context: Context

  constructor(shelf: Shelf<K, T>, context: Context) {
    this.#shelf = shelf
    this.#context = context
  }

  /** `all`: load every item, also those that are stored. */
  async run(flight: Flight<unknown>, key: K, id: string, all: boolean): Promise<Synced<T>> {
    let ended = false
    for (let attempt = 1; ; attempt++) {
      const lease = await this.#context.stack.lease()
      // What is stored counts from here, so that a look at the source that began later is never overwritten.
      const startedAt = this.#context.clock.now()
      const probe = await this.#probe(flight, key)
      const found = await this.#shelf.snapshot(id)
      const conflict = conflictOf(probe, found)
      if (conflict !== undefined) {
        await this.#endEra(key, id, probe, conflict)
        ended = true
        if (attempt < ATTEMPTS) continue
      }
      // Somebody keeps storing what this source does not have: it is no part of the answer, and the lease is broken.
      const known = conflict === undefined ? found : NOTHING
      // On the last attempt nothing stored is used: what comes is whole, stored or not.
      const reuse = !all && attempt < ATTEMPTS
      const loaded = await this.#loadMissing(flight, key, id, probe.count, reuse ? known.items : [])
      const outcome = await this.#store(flight, key, id, known, loaded, { ...probe, startedAt }, lease)
      if (outcome === 'era-ended') ended = true
      if (outcome !== 'stored' && attempt < ATTEMPTS && !flight.isSuperseded) continue
      const before = ended ? 0 : (known.head?.total ?? 0)
      return {
        items: loaded.map((it) => ('item' in it ? it.item : (it.entry.value as T))),
        total: probe.count,
        added: probe.count - Math.min(before, probe.count),
        era: ended ? 'new' : 'same',
        loadedAt: this.#context.clock.now(),
        stored: outcome === 'stored',
      }
    }
  }

  async #probe(flight: Flight<unknown>, key: K): Promise<Probe> {
    const { probe, hardMs, name } = this.#shelf.settings
    const answer = await runLoader(flight, hardMs, this.#context.clock, (signal) => probe(key, { signal }))
    if (Number.isInteger(answer?.count) && answer.count >= 0) return answer
    throw new TidemarkError(
      'invalid-value',
      `Expected the probe of ${name} to tell a count from 0, got ${describe(answer?.count)}.`,
    )
  }

  /** Looks again inside the era's queue: another reader may have ended it already. */
  async #endEra(key: K, id: string, probe: Probe, conflict: string): Promise<void> {
    const { era, scopeOf } = this.#shelf.settings
    const scope = scopeOf(key)
    await era.exclusively(scope, async () => {
      if (conflictOf(probe, await this.#shelf.snapshot(id)) !== undefined) await era.renew(scope, conflict)
    })
  }

  async #loadMissing(
    flight: Flight<unknown>,
    key: K,
    id: string,
    count: number,
    known: readonly (Entry | undefined)[],
  ): Promise<({ readonly entry: Entry } | { readonly item: T })[]> {
    const { load, hardMs, name } = this.#shelf.settings
    const { clock, hub } = this.#context
    const all: ({ entry: Entry } | { item: T })[] = []
    while (all.length < count) {
      const from = all.length
      const entry = known[from]
      if (entry) {
        all.push({ entry })
        continue
      }
      let to = from + 1
      while (to < count && !known[to]) to++
      const items = await runLoader(flight, hardMs, clock, (signal) =>
        load(key, {
          from,
          to,
          signal,
          progress: (done, total) => hub.emit({ type: 'progress', name, key: id, done, total }),
        }),
      )
      if (!Array.isArray(items) || items.length !== to - from) throw wrongItems(name, from, to, items)
      const gap = (items as readonly unknown[]).indexOf(undefined)
      if (gap !== -1)
        throw new TidemarkError('load-returned-undefined', `The loader of ${name} returned no item ${from + gap}.`)
      for (const item of items as readonly T[]) all.push({ item })
    }
    return all
  }

  async #store(
    flight: Flight<unknown>,
    key: K,
    id: string,
    known: Snapshot,
    loaded: readonly ({ readonly entry: Entry } | { readonly item: T })[],
    probe: Probe & { readonly startedAt: number },
    lease: Lease,
  ): Promise<'stored' | 'refused' | 'era-ended'> {
    const { era, scopeOf, identity } = this.#shelf.settings
    const { stack } = this.#context
    const stamp = known.head?.stamp ?? crypto.randomUUID()
    return era.exclusively(scopeOf(key), async () => {
      // Somebody asked again meanwhile: what that brings is newer.
      if (flight.isSuperseded) return 'refused'
      const { startedAt } = probe
      const entries = loaded.flatMap((it, i) =>
        'item' in it ? [this.#shelf.itemEntry(key, id, i, it.item, stamp, startedAt, known.items[i])] : [],
      )
      for (const [i, it] of loaded.entries()) {
        if (!('item' in it)) continue
        const other = await era.conflictWith(this.#shelf.itemKey(id, i).id, identity?.(it.item))
        if (other === undefined) continue
        await era.renew(scopeOf(key), `item ${i} of ${this.#shelf.settings.name} names another thing now`)
        return 'era-ended'
      }
      const head: Head = {
        total: probe.count,
        stamp,
        first: probe.first ?? identityAt(loaded.at(0), identity),
        last: probe.last ?? identityAt(loaded.at(-1), identity),
      }
      // In one turn, the head last: a tier that commits by turns takes all of it or nothing.
      const puts = [...entries, this.#shelf.headEntry(key, id, head, startedAt)].map((entry) => stack.put(entry, lease))
      const stored = await Promise.all(puts)
      return stored.every(Boolean) ? 'stored' : 'refused'
    })
  }
}

/** Why the source no longer holds what is stored, if it does not. */
function conflictOf(probe: Probe, known: Snapshot): string | undefined {
  const { head } = known
  if (!head) return undefined
  if (probe.count < head.total) return `the source has ${probe.count} items, ${head.total} were known`
  if (head.total === 0) return undefined
  if (identityConflicts(head.first, probe.first)) return 'the first item is another one now'
  if (probe.count === head.total && identityConflicts(head.last, probe.last)) return 'the last item is another one now'
  return undefined
}

function identityAt<T>(
  it: { readonly entry: Entry } | { readonly item: T } | undefined,
  identity: ((item: T) => Identity) | undefined,
): Identity | undefined {
  if (it === undefined) return undefined
  return 'item' in it ? identity?.(it.item) : it.entry.identity
}

function wrongItems(name: string, from: number, to: number, got: unknown): TidemarkError {
  const came = Array.isArray(got) ? `${got.length}` : describe(got)
  return new TidemarkError(
    'invalid-value',
    `Expected the loader of ${name} to return the ${to - from} items ${from} to ${to - 1}, got ${came}.`,
    {
      hint: 'The source may have changed between its count and its items; the next read asks again.',
    },
  )
}
