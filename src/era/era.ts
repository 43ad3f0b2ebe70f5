import { identityConflicts, type Entry, type Identity } from '../entry.ts'
import type { Hub } from '../observe/hub.ts'
import type { Stack } from '../stack/stack.ts'
import type { Lease } from '../tier/tier.ts'
import { Queue } from './queue.ts'

/** How many entries left, by the name they were stored under. */
export type CountsByName = Readonly<Record<string, number>>

/**
 * One life of data whose keys are used again: what an erase ends. Everything stored under an era in one scope is dropped
 * together, before anything of the next life is stored (contract C1, `era-switch-atomic`).
 *
 * @example
 * const memoryEra = tide.era('device-memory')
 * await memoryEra.renew('tcp:10.0.0.7:12345') // { events: 12, waveforms: 3 }
 */
export class Era {
  /** The name it was made with. */
  readonly name: string
  readonly #stack: Stack
  readonly #hub: Hub
  readonly #refuseIfClosed: () => void
  readonly #members = new Set<string>()
  readonly #queues = new Map<string, Queue>()

  constructor(name: string, stack: Stack, hub: Hub, refuseIfClosed: () => void) {
    this.name = name
    this.#stack = stack
    this.#hub = hub
    this.#refuseIfClosed = refuseIfClosed
  }

  /** Ends the era of a scope: drops all of it in every tier. Resolves to what was dropped, by name. */
  async renew(scope: string, reason = 'renewed by the application'): Promise<CountsByName> {
    this.#refuseIfClosed()
    const selector = { kind: 'era', era: this.name, scope } as const
    const dropped: Record<string, number> = {}
    for await (const { key } of this.#stack.keys(selector)) {
      if (!key.name.includes('#')) dropped[key.name] = (dropped[key.name] ?? 0) + 1
    }
    await this.#stack.remove(selector)
    for (const [name, count] of Object.entries(dropped)) this.#hub.of(name).evictions.era += count
    this.#hub.emit({ type: 'era', era: this.name, scope, reason, dropped })
    return dropped
  }

  /** Names whose entries belong to the era: within it, equal keys name the same physical thing. */
  join(name: string): void {
    this.#members.add(name)
  }

  /** One at a time for each scope: a check, the end of an era, and the first store of the next must not interleave. */
  exclusively<T>(scope: string, work: () => Promise<T>): Promise<T> {
    let queue = this.#queues.get(scope)
    if (!queue) this.#queues.set(scope, (queue = new Queue()))
    const current = queue
    return current.run(work).finally(() => {
      if (current.isIdle && this.#queues.get(scope) === current) this.#queues.delete(scope)
    })
  }

  /** The identity stored at this key, in any member, that shows the key was used again; or `undefined`. */
  async conflictWith(id: string, identity: Identity | undefined): Promise<Identity | undefined> {
    if (identity === undefined) return undefined
    for (const name of this.#members) {
      const stored = await this.#stack.get({ name, id })
      if (identityConflicts(stored?.identity, identity)) return stored?.identity
    }
    return undefined
  }

  /**
   * Call inside {@link exclusively}, before storing. Ends the era when the entry shows that its key was used again.
   * Returns the lease to store under: the old one, or one that allows for the end of the era but for no other change.
   */
  async settle(entry: Entry, lease: Lease): Promise<Lease> {
    const other = await this.conflictWith(entry.key.id, entry.identity)
    if (other === undefined || entry.scope === undefined) return lease
    await this.renew(
      entry.scope,
      `${entry.key.name} ${entry.key.id} is now ${show(entry.identity)}, was ${show(other)}`,
    )
    return this.#stack.eraLease(lease, await this.#stack.lease())
  }
}

function show(identity: Identity | undefined): string {
  return `(${identity?.map((part) => part ?? '?').join(', ')})`
}
