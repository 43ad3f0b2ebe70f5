// What the source says, what changed, and therefore what no reader may see any more.

/** How a change ends what was there: it may not be seen at all, or only as stale. */
export type Severity = 'gone' | 'stale'

/** One change that resolved: of these keys nothing older than `version` may be seen by whoever it binds. */
export interface Floor {
  readonly by: number
  readonly severity: Severity
  readonly version: number
  readonly resolvedAt: number
  /** Since when it has reached every tier; until then it binds only the process that made it. */
  deliveredAt: number | undefined
}

/** A process as the oracle sees it when a read begins. */
export interface Reader {
  readonly process: number
  /** Since when it can hear of what others change; `undefined` while it cannot. */
  readonly hearsSince: number | undefined
  /** So long after it was delivered a change may still be unknown to it. */
  readonly lagMs: number
}

/** A value as it is stored: what it is of, and as of which version of the source. */
export interface Versioned {
  readonly of: string
  readonly version: number
}

/** The source, and the record of changes. */
export class Oracle {
  readonly #versions = new Map<string, number>()
  readonly #floors = new Map<string, Floor[]>()
  #last = 0

  /** What a load that begins now brings. */
  valueOf(key: string): Versioned {
    return { of: key, version: this.#versions.get(key) ?? 0 }
  }

  /** The source changes. */
  change(key: string): Versioned {
    this.#versions.set(key, ++this.#last)
    return this.valueOf(key)
  }

  /** A change was made known to the cache, and that resolved. `versions`: what the source had when it was asked. */
  resolved(versions: readonly Versioned[], by: number, severity: Severity, now: number): void {
    for (const { of, version } of versions) {
      const floors = this.#floors.get(of) ?? []
      floors.push({ by, severity, version, resolvedAt: now, deliveredAt: undefined })
      this.#floors.set(of, floors)
    }
  }

  /** A process has told every tier what it had to tell. */
  delivered(by: number, now: number): void {
    for (const floors of this.#floors.values())
      for (const floor of floors) if (floor.by === by) floor.deliveredAt ??= now
  }

  /** The changes a read that begins now must see. */
  binding(key: string, reader: Reader, now: number): Floor[] {
    const { process, hearsSince, lagMs } = reader
    return (this.#floors.get(key) ?? []).filter(
      ({ by, deliveredAt }) =>
        by === process ||
        (deliveredAt !== undefined && hearsSince !== undefined && now - Math.max(deliveredAt, hearsSince) >= lagMs),
    )
  }
}

/** The lowest version that may be seen; `undefined` when nothing binds. */
export function lowest(floors: readonly Floor[], severity?: Severity): Floor | undefined {
  const those = severity === undefined ? floors : floors.filter((floor) => floor.severity === severity)
  return those.reduce<Floor | undefined>(
    (best, floor) => (best && best.version >= floor.version ? best : floor),
    undefined,
  )
}
