// A tier over a network, as far as tests of races need it: one server that all processes share, and a line to it for each.

import {
  memory,
  TidemarkError,
  type Entry,
  type Key,
  type KeyInfo,
  type Lease,
  type Selector,
  type Tier,
} from 'tidemark'
import type { ChangeFeed, ChangedSlots, Capabilities, Claims, TierHost } from '../../src/tier/tier.ts'
import { slotOfKey, slotOfSelector } from '../../src/slot.ts'

const POLL_MS = 50

/** What the processes share: entries, what changed in which order, and who loads. */
export class RemoteServer {
  readonly tier: Tier = memory({ maxEntries: 1_000 })
  /** Slots of changes, oldest first, each with who made it. */
  readonly changes: { readonly slot: number; readonly by: RemoteTier }[] = []
  readonly claims = new Map<string, { readonly owner: string; readonly untilMs: number }>()
  /** A new one each time it loses its data. */
  epoch = 0

  attach(host: TierHost): void {
    this.tier.attach?.(host)
  }

  /** Restarted without its data: no lease from before holds. */
  empty(): void {
    this.tier.forget?.('all')
    this.claims.clear()
    this.epoch++
  }
}

/** How a line to the server is. */
export type LineState =
  /** Requests and answers pass. */
  | 'open'
  /** Every request is refused at once. */
  | 'refused'
  /** Requests wait until the line is open again. */
  | 'silent'
  /** Requests pass, answers are lost. */
  | 'deaf'

/** One process's side. A write the server meets later than the budget is not made, as `TierHost.budgetMs` asks. */
export class RemoteTier implements Tier {
  readonly name = 'remote'
  readonly capabilities: Capabilities = { persistent: true, shared: true, sync: false }
  readonly feed: ChangeFeed
  readonly claims: Claims
  readonly #server: RemoteServer
  #state: LineState = 'open'
  #reopened: PromiseWithResolvers<void> = Promise.withResolvers<void>()
  #host: TierHost | undefined
  #heard: number
  #epoch: number
  #listener: (changed: ChangedSlots) => void = () => {}

  constructor(server: RemoteServer) {
    this.#server = server
    this.#heard = server.changes.length
    this.#epoch = server.epoch
    this.feed = {
      listen: (listener) => (this.#listener = listener),
      check: () => this.#look(),
      poll: () => {
        const timer = setInterval(() => void this.#look().catch(() => {}), POLL_MS)
        return () => clearInterval(timer)
      },
    }
    this.claims = {
      acquire: (key, owner, untilMs) => this.#call(() => this.#acquire(key, owner, untilMs), true),
      release: (key, owner) =>
        this.#call(() => {
          if (server.claims.get(idOf(key))?.owner === owner) server.claims.delete(idOf(key))
        }, true),
    }
  }

  get state(): LineState {
    return this.#state
  }

  set state(state: LineState) {
    if (state === this.#state) return
    this.#state = state
    if (state !== 'open') return
    this.#reopened.resolve()
    this.#reopened = Promise.withResolvers<void>()
  }

  attach(host: TierHost): void {
    this.#host = host
    this.#server.attach({ clock: host.clock, report: () => {} })
  }

  get(key: Key): Promise<Entry | undefined> {
    return this.#call(() => this.#server.tier.get(key) as Entry | undefined, false)
  }

  lease(): Promise<Lease> {
    return this.#call(() => this.#server.tier.lease() as Lease, false)
  }

  put(entry: Entry, lease?: Lease): Promise<boolean> {
    return this.#call(() => {
      if (lease === undefined) this.#changed(slotOfKey(entry.key))
      return this.#server.tier.put(entry, lease) as boolean
    }, true)
  }

  remove(selector: Selector, staleAt?: number): Promise<number> {
    return this.#call(() => {
      this.#changed(slotOfSelector(selector))
      return this.#server.tier.remove(selector, staleAt) as number
    }, true)
  }

  async *keys(selector: Selector): AsyncIterable<KeyInfo> {
    await this.#call(() => undefined, false)
    yield* this.#server.tier.keys(selector)
  }

  count(selector: Selector): Promise<number> {
    return this.#call(() => this.#server.tier.count(selector) as number, false)
  }

  sweep(now: number, limit: number): Promise<number> {
    return this.#call(() => this.#server.tier.sweep(now, limit) as number, true)
  }

  close(): void {
    this.#listener = () => {}
  }

  #changed(slot: number): void {
    this.#server.changes.push({ slot, by: this })
  }

  #acquire(key: Key, owner: string, untilMs: number): boolean {
    const held = this.#server.claims.get(idOf(key))
    const now = this.#host?.clock.now() ?? 0
    if (held && held.owner !== owner && now < held.untilMs) return false
    // Whoever takes over makes the lease of the one before too old.
    if (held && held.owner !== owner) this.#server.tier.forget?.([slotOfKey(key)])
    this.#server.claims.set(idOf(key), { owner, untilMs })
    return true
  }

  async #look(): Promise<void> {
    const { changes } = this.#server
    const [epoch, until] = await this.#call(() => [this.#server.epoch, changes.length] as const, false)
    // Answers to several looks may overlap.
    const others = changes.slice(this.#heard, until).filter(({ by }) => by !== this)
    this.#heard = Math.max(this.#heard, until)
    if (epoch !== this.#epoch) {
      this.#epoch = epoch
      this.#listener('all')
    } else if (others.length > 0) this.#listener(others.map(({ slot }) => slot))
  }

  /** One round trip. */
  async #call<T>(atServer: () => T, isWrite: boolean): Promise<T> {
    const sentAt = performance.now()
    await Promise.resolve()
    while (this.#state === 'silent') await this.#reopened.promise
    if (this.#state === 'refused') throw unreachable('the connection was refused')
    const lateMs = performance.now() - sentAt
    if (isWrite && lateMs > (this.#host?.budgetMs ?? Number.POSITIVE_INFINITY)) throw unreachable('it came too late')
    const answer = atServer()
    const { state } = this
    const reopened = this.#reopened.promise
    await new Promise((resolve) => setImmediate(resolve))
    if (state === 'deaf') {
      await reopened
      throw unreachable('the answer was lost')
    }
    return answer
  }
}

function unreachable(why: string): TidemarkError {
  return new TidemarkError('tier-unavailable', `The server could not be asked: ${why}.`)
}

function idOf({ name, id }: Key): string {
  return `${name}\0${id}`
}
