import type { RevisionAnswer } from '../../revision.ts'
import type { PgListen } from './listen.ts'
import type { PgRevision } from './settings.ts'

interface Known {
  readonly revision: string
  readonly listen: PgListen
  /** How much had been announced before it was asked for. */
  readonly heard: number
  readonly askedAt: number
}

/** What was answered last, for as long as a listener vouches that nothing was committed since. */
export class Memory {
  readonly #known = new WeakMap<PgRevision, Known>()

  /** The answer without asking, if all of it may be given so. */
  recall(revisions: readonly PgRevision[]): RevisionAnswer | undefined {
    let ageMs = 0
    const answer: string[] = []
    for (const revision of revisions) {
      const known = this.#known.get(revision)
      if (!known || !known.listen.isQuietSince(known.heard, known.askedAt)) return undefined
      ageMs = Math.max(ageMs, known.listen.now() - known.askedAt)
      answer.push(known.revision)
    }
    return { revisions: answer, ageMs }
  }

  /** Call before asking; what it returns takes the answer, and what of it is announced when it changes. */
  asking(revisions: readonly PgRevision[]): (answer: readonly string[], isAnnounced: readonly boolean[]) => void {
    const before = revisions.map(({ settings: { listen } }) => listen && { listen, ...listen.mark() })
    return (answer, isAnnounced) => {
      for (const [i, revision] of revisions.entries()) {
        const at = before[i]
        if (at && isAnnounced[i]) this.#known.set(revision, { ...at, revision: answer[i] as string })
      }
    }
  }
}
