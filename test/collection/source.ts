import { onTestFinished } from 'vitest'
import {
  createTidemark,
  type Collection,
  type CollectionOptions,
  type Identity,
  type Tidemark,
  type Tier,
} from 'tidemark'
import { FakeClock } from 'tidemark/testing'

/** One thing a source recorded. */
export interface Item {
  readonly stamp: string
  readonly n: number
}

/** A device that records items, can be erased, and notes what it is asked. */
export class Source {
  items: Item[] = []
  down: Error | undefined
  /** `probe`, or the range that was loaded, in order. */
  readonly asked: string[] = []
  /** Whether a probe tells the identity of the first and the last item. */
  tells = true
  /** What a load waits for. */
  gate: Promise<unknown> | undefined
  #life = 0

  record(count: number): void {
    for (let i = 0; i < count; i++)
      this.items.push({ stamp: `life ${this.#life}, item ${this.items.length}`, n: this.items.length })
  }

  /** Erases everything and records so many new items. */
  erase(count: number): void {
    this.#life++
    this.items = []
    this.record(count)
  }

  probe(): { count: number; first?: Identity | undefined; last?: Identity | undefined } {
    this.asked.push('probe')
    if (this.down) throw this.down
    const count = this.items.length
    return this.tells ? { count, first: stampOf(this.items.at(0)), last: stampOf(this.items.at(-1)) } : { count }
  }

  async load(from: number, to: number): Promise<Item[]> {
    this.asked.push(`${from}-${to}`)
    await this.gate
    if (this.down) throw this.down
    return this.items.slice(from, to)
  }

  /** What was asked since the last call. */
  questions(): string[] {
    return this.asked.splice(0)
  }
}

const stampOf = (item: Item | undefined): Identity | undefined => item && [item.stamp]

/** A cache over a source. */
export interface Open {
  readonly tide: Tidemark
  readonly clock: FakeClock
  readonly source: Source
  readonly events: Collection<string, Item>
}

export function open(
  tiers: readonly Tier[],
  options: Partial<CollectionOptions<string, Item>> = {},
  source: Source = new Source(),
  clock: FakeClock = new FakeClock(),
): Open {
  const tide = createTidemark({ tiers, clock })
  onTestFinished(() => tide.close())
  const events = tide.collection<string, Item>({
    name: 'events',
    probe: () => source.probe(),
    load: (_unit, { from, to }) => source.load(from, to),
    identity: (item) => [item.stamp],
    ...options,
  })
  return { tide, clock, source, events }
}
