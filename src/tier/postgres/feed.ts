import { Listening, type ListenSource } from '../../pg/listening.ts'
import type { Changes } from '../changes.ts'
import { Looks } from '../looks.ts'
import type { ChangedSlots, ChangeFeed } from '../tier.ts'
import type { Place } from './place.ts'
import type { Queries } from './query.ts'

/** What hearing of others' changes needs of the tier around it. */
export interface FeedParts {
  /** Names this process in its own changes. */
  readonly origin: string
  readonly listen: ListenSource | undefined
  readonly queries: Queries
  readonly place: Place
  readonly changes: Changes
}

/**
 * What other processes changed, read from the change sequence: its numbers have no gaps, so what was trimmed shows. An
 * announcement says no more than that it is time to look; nothing depends on one to come.
 */
export class PostgresFeed implements ChangeFeed {
  readonly #parts: FeedParts
  readonly #looks = new Looks(() => this.#look())

  constructor(parts: FeedParts) {
    this.#parts = parts
  }

  listen(listener: (changed: ChangedSlots) => void): void {
    this.#parts.changes.listen(listener)
  }

  check(): Promise<void> {
    return this.#looks.now()
  }

  poll(): () => void {
    const { listen, origin, queries } = this.#parts
    const heard = (payload: string): void => {
      if (!payload.startsWith(`${origin} `)) this.#looks.soon()
    }
    // Also what was announced while nobody listened.
    const connected = (): void => this.#looks.soon()
    const listening = listen && new Listening(listen, queries.schema, { heard, connected })
    const stop = this.#looks.regularly(() => listening?.isConnected === true)
    return () => {
      stop()
      // A connection that is down has nothing to end.
      listening?.close().catch(() => {})
    }
  }

  async #look(): Promise<void> {
    const { origin, queries, place } = this.#parts
    let sentAtMs = 0
    let asked = 0
    const answer = await place.run(
      queries.look,
      () => {
        sentAtMs = performance.now()
        asked = place.known
        return [origin, asked]
      },
      ([row], life) => {
        // Not what is known by now: a later look may have been answered before.
        if (!row || row['life'] !== life || row['seq'] === null || Number(row['seq']) < asked) return undefined
        return { row, life }
      },
    )
    if (!answer) return
    // Meanwhile it was found that the life is over, or may be: this answer says nothing of the next one.
    if (answer.life !== place.life) return this.#look()
    const { seq, others, own, is_complete: isComplete } = answer.row
    place.sawClock(Number(answer.row['server_ms']), sentAtMs, false)
    place.takeIn(answer.life, Number(seq), { others, own, isComplete: isComplete === true })
  }
}
