import type { Clock } from '../clock.ts'
import { staleFrom, type Entry } from '../entry.ts'
import { judge, type Verdict } from '../policy/judge.ts'
import type { Revision } from '../revision.ts'
import { Gate, type GateSettings } from '../source/gate.ts'

/** The revision of a source, as a reader was told it. */
export interface Asked {
  readonly revision: string
  /** Of two answers the later one has the larger number. */
  readonly turn: number
}

/** So many past revisions are remembered with the time they were last the current one. */
const REMEMBERED_MAX = 64

/** What is known of the revision of a resource's source: what it is, and how long each of the last ones held. */
export class Revisions {
  readonly #gate: Gate
  readonly #clock: Clock
  /** When a revision was last known to be the current one; the current one is last. */
  readonly #heldAt = new Map<string, number>()

  constructor(revision: Revision, settings: Omit<GateSettings, 'revisions'>, clock: Clock) {
    const { name, softMs, hardMs } = settings
    this.#gate = new Gate({ name, softMs, hardMs, revisions: [revision] }, clock)
    this.#clock = clock
  }

  /** True while the source takes so long to tell that nobody should wait for it who need not. */
  get isOverdue(): boolean {
    return this.#gate.isOverdue
  }

  /** The revision as it is after this call. Errors: what the revision throws, `load-timeout`. */
  async ask(): Promise<Asked> {
    const { at, turn, revisions } = await this.#gate.ask()
    const revision = revisions[0] as string
    const before = this.#heldAt.get(revision) ?? at
    this.#heldAt.delete(revision)
    this.#heldAt.set(revision, Math.max(before, at))
    for (const oldest of this.#heldAt.keys()) {
      if (this.#heldAt.size <= REMEMBERED_MAX) break
      this.#heldAt.delete(oldest)
    }
    return { revision, turn }
  }

  /**
   * Judges an entry. One of another revision became stale when its own was last known to hold, at the latest; so did any
   * when nobody can tell the revision.
   */
  verdict(entry: Entry, asked: Asked | undefined): Verdict {
    const isCurrent = asked !== undefined && entry.revision === asked.revision
    return judge(isCurrent ? entry : staleFrom(entry, this.#lastHeld(entry)), this.#clock.now())
  }

  /** Without the answers of another process, or from before a restart, it held when its value was loaded. */
  #lastHeld({ revision, loadedAt }: Entry): number {
    const heldAt = revision === undefined ? undefined : this.#heldAt.get(revision)
    return Math.max(heldAt ?? 0, loadedAt)
  }
}
