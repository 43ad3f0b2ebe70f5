import { systemClock } from '../clock.ts'
import type { Entry, KeyInfo } from '../entry.ts'
import type { Key, Selector } from '../key.ts'
import type { Capabilities, ChangedSlots, Lease, MaybePromise, Tier, TierHost } from '../tier/tier.ts'

/** What can be made to fail. */
export type ChaosOperation = 'get' | 'lease' | 'put' | 'remove' | 'count' | 'sweep' | 'keys'

/** One call that reached a chaos tier, in order. */
export interface ChaosCall {
  readonly operation: ChaosOperation
  readonly key: string | undefined
  readonly outcome: 'passed' | 'delayed' | 'failed' | 'hung' | 'corrupted'
}

interface Fault {
  readonly kind: 'fail' | 'hang' | 'delay'
  readonly error?: unknown
  readonly delayMs?: number
  times: number
}

/**
 * A tier around a tier that does what it is told to: fails, hangs, answers late or wrong. Every call is logged. It has no
 * front, no change feed and no claims, whatever it is around.
 *
 * @example
 * const broken = chaos(memory())
 * broken.fail('get', { times: 3 })
 * broken.hang('put')
 * broken.heal()
 */
export function chaos(tier: Tier): ChaosTier {
  return new ChaosTier(tier)
}

/** See {@link chaos}. */
export class ChaosTier implements Tier {
  readonly name: string
  /** Never declared synchronous: a tier in trouble may take its time. */
  readonly capabilities: Capabilities
  /** Every call so far, oldest first. */
  readonly calls: ChaosCall[] = []
  readonly storeId?: () => string | undefined
  readonly #tier: Tier
  readonly #faults = new Map<ChaosOperation, Fault>()
  readonly #hanging = new Set<() => void>()
  #corrupt: ((entry: Entry) => Entry) | undefined
  #host: TierHost | undefined

  /** Use {@link chaos}. */
  constructor(tier: Tier) {
    this.#tier = tier
    this.name = `chaos(${tier.name})`
    this.capabilities = { ...tier.capabilities, sync: false }
    if (tier.storeId) this.storeId = () => tier.storeId?.()
  }

  /** Makes an operation throw, for ever or so many times. */
  fail(operation: ChaosOperation, options: { readonly times?: number; readonly error?: unknown } = {}): this {
    const error = options.error ?? new Error(`chaos: ${operation} failed`)
    this.#faults.set(operation, { kind: 'fail', error, times: options.times ?? Number.POSITIVE_INFINITY })
    return this
  }

  /** Makes an operation never answer until {@link heal}; then it goes through. */
  hang(operation: ChaosOperation, options: { readonly times?: number } = {}): this {
    this.#faults.set(operation, { kind: 'hang', times: options.times ?? Number.POSITIVE_INFINITY })
    return this
  }

  /** Makes an operation answer late, by the cache's clock. */
  delay(operation: ChaosOperation, delayMs: number): this {
    this.#faults.set(operation, { kind: 'delay', delayMs, times: Number.POSITIVE_INFINITY })
    return this
  }

  /** Changes every entry on its way out. */
  corrupt(change: (entry: Entry) => Entry): this {
    this.#corrupt = change
    return this
  }

  /** Ends all trouble; what hung goes through now, late. */
  heal(): void {
    this.#faults.clear()
    this.#corrupt = undefined
    for (const go of this.#hanging) go()
    this.#hanging.clear()
  }

  attach(host: TierHost): void {
    this.#host = host
    this.#tier.attach?.(host)
  }

  get(key: Key): MaybePromise<Entry | undefined> {
    return this.#run('get', key.id, async () => {
      const entry = await this.#tier.get(key)
      if (!entry || !this.#corrupt) return entry
      this.calls.push({ operation: 'get', key: key.id, outcome: 'corrupted' })
      return this.#corrupt(entry)
    })
  }

  lease(): MaybePromise<Lease> {
    return this.#run('lease', undefined, () => this.#tier.lease())
  }

  put(entry: Entry, lease?: Lease): MaybePromise<boolean> {
    return this.#run('put', entry.key.id, () => this.#tier.put(entry, lease))
  }

  remove(selector: Selector, staleAt?: number): MaybePromise<number> {
    const key = selector.kind === 'key' ? selector.key.id : undefined
    return this.#run('remove', key, () => this.#tier.remove(selector, staleAt))
  }

  async *keys(selector: Selector): AsyncIterable<KeyInfo> {
    await this.#run('keys', undefined, () => undefined)
    yield* this.#tier.keys(selector)
  }

  count(selector: Selector): MaybePromise<number> {
    return this.#run('count', undefined, () => this.#tier.count(selector))
  }

  sweep(now: number, limit: number): MaybePromise<number> {
    return this.#run('sweep', undefined, () => this.#tier.sweep(now, limit))
  }

  forget(changed: ChangedSlots): void {
    this.#tier.forget?.(changed)
  }

  close(): MaybePromise<void> {
    return this.#tier.close()
  }

  async #run<T>(operation: ChaosOperation, key: string | undefined, go: () => MaybePromise<T>): Promise<T> {
    const fault = this.#faults.get(operation)
    if (!fault || fault.times <= 0) {
      this.calls.push({ operation, key, outcome: 'passed' })
      return go()
    }
    fault.times--
    const outcome = ({ fail: 'failed', hang: 'hung', delay: 'delayed' } as const)[fault.kind]
    this.calls.push({ operation, key, outcome })
    if (fault.kind === 'fail') throw fault.error
    await new Promise<void>((resolve) => {
      if (fault.kind === 'hang') this.#hanging.add(resolve)
      else (this.#host?.clock ?? systemClock).schedule(fault.delayMs ?? 0, resolve)
    })
    return go()
  }
}
