import type { Context } from '../load/context.ts'
import type { StaleReason } from '../load/serve.ts'
import type { NameCounters } from '../observe/counters.ts'
import type { Held } from './held.ts'
import type { Section, ViewSettings } from './options.ts'
import type { SectionReading, ViewReading } from './reading.ts'
import type { Snapshot } from './snapshot.ts'

/** The label of hits: a view answers from the snapshot it holds, whichever tier that came from. */
const HIT_TIER = 'view'

/** Makes readings, and counts and tells of them. */
export class Reporter<V> {
  readonly #settings: ViewSettings<V>
  readonly #context: Context
  readonly #held: Held<V>
  readonly #counters: NameCounters

  constructor(settings: ViewSettings<V>, context: Context, held: Held<V>) {
    this.#settings = settings
    this.#context = context
    this.#held = held
    this.#counters = context.hub.of(settings.name)
  }

  /** Nothing has moved. */
  hit(): ViewReading<V> {
    this.#counters.hit(HIT_TIER, false)
    return this.#told(
      this.#reading('hit', 'hit', this.#held.snapshot as Snapshot<V>, () => 'same'),
      [],
    )
  }

  /** The last snapshot. `waited`: the reader waited for a build first, so it is no hit. */
  stale(moved: readonly Section[], reason: StaleReason, waited: boolean, error?: unknown): ViewReading<V> {
    if (!waited) this.#counters.hit(HIT_TIER, true)
    if (reason !== 'revalidating') this.#counters.fallbacks++
    // Without moved sections nobody could ask.
    const isUnknown = moved.length === 0
    const stateOf = (name: string): SectionReading['state'] => {
      if (isUnknown) return 'unknown'
      return moved.some((it) => it.name === name) ? 'moved' : 'same'
    }
    const snapshot = this.#held.snapshot as Snapshot<V>
    const more = {
      revision: isUnknown ? 'unknown' : snapshot.revision,
      staleFor: this.#held.staleForMs(isUnknown ? this.#settings.sections : moved),
      ...(error === undefined ? undefined : { error }),
    }
    // Not a copy of a reading: that would make the tag, which most never ask for.
    return this.#told(Object.assign(this.#reading('stale', reason, snapshot, stateOf), more), moved)
  }

  /** A reader is about to wait for a build. */
  waits(isPartial: boolean): void {
    this.#counters.misses++
    if (isPartial) this.#counters.partials++
  }

  /** What a reader waited for. */
  built(snapshot: Snapshot<V>, moved: readonly Section[], isPartial: boolean): ViewReading<V> {
    const stateOf = (name: string): SectionReading['state'] =>
      moved.some((it) => it.name === name) ? 'rebuilt' : 'same'
    return this.#told(this.#reading(isPartial ? 'partial' : 'miss', 'loaded', snapshot, stateOf), moved)
  }

  #reading(
    status: ViewReading<V>['status'],
    reason: ViewReading<V>['reason'],
    snapshot: Snapshot<V>,
    stateOf: (name: string) => SectionReading['state'],
  ): ViewReading<V> {
    const now = this.#context.clock.now()
    const sections: Record<string, SectionReading> = {}
    let [oldest, newest] = [Number.POSITIVE_INFINITY, 0]
    for (const [name, { revision, builtAt }] of snapshot.sections) {
      sections[name] = { revision, builtAt, age: Math.max(0, now - builtAt), state: stateOf(name) }
      oldest = Math.min(oldest, builtAt)
      newest = Math.max(newest, builtAt)
    }
    return {
      value: this.#context.handout.out(snapshot.value),
      status,
      reason,
      revision: snapshot.revision,
      get etag() {
        return `W/"${snapshot.revision}.${snapshot.fingerprint.text}"`
      },
      age: Math.max(0, now - oldest),
      staleFor: 0,
      builtAt: newest,
      sections,
    }
  }

  #told(reading: ViewReading<V>, moved: readonly Section[]): ViewReading<V> {
    const { hub } = this.#context
    if (hub.isHeard) {
      const { status, reason, revision } = reading
      hub.emit({
        type: 'view',
        name: this.#settings.name,
        status,
        reason,
        revision,
        moved: moved.map(({ name }) => name),
      })
    }
    return reading
  }
}
