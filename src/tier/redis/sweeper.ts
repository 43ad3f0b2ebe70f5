import type { TierReport } from '../tier.ts'
import type { Lives } from './lives.ts'
import { Script } from './script.ts'
import type { Writer } from './writer.ts'

const SWEEP = new Script('sweep')
/** So many names are looked at in one call; the others follow in the next. */
const NAMES_AT_ONCE = 8

/**
 * Drops what is past its time. Redis expires entries by itself; this takes out what the name's lists say of them, and the
 * entries of names that were cleared, a slice at a time.
 */
export class Sweeper {
  readonly #writer: Writer
  readonly #lives: Lives
  readonly #report: (news: TierReport) => void
  /** Where the walk for entries that Redis evicted stands, by name. */
  readonly #cursors = new Map<string, string>()
  #next = 0

  constructor(writer: Writer, lives: Lives, report: (news: TierReport) => void) {
    this.#writer = writer
    this.#lives = lives
    this.#report = report
  }

  async sweep(now: number, limit: number): Promise<number> {
    // Names nobody could be asked about yet have nothing to sweep.
    const names = this.#lives.all.filter(({ epoch }) => epoch !== '').map(({ name }) => name as string)
    let dropped = 0
    for (let n = 0; n < Math.min(names.length, NAMES_AT_ONCE) && dropped < limit; n++) {
      dropped += await this.#sweepName(names[this.#next++ % names.length] as string, now, limit - dropped)
    }
    return dropped
  }

  async #sweepName(name: string, now: number, limit: number): Promise<number> {
    const cursor = this.#cursors.get(name) ?? '0'
    const { answer } = await this.#writer.write(name, SWEEP, () => [String(now), String(limit), cursor])
    const [, past, cleared, evicted, next] = answer as [number, number, number, number, Buffer]
    this.#cursors.set(name, next.toString())
    if (past > 0) this.#report({ kind: 'evicted', name, count: past, cause: 'ttl' })
    if (evicted > 0) this.#report({ kind: 'evicted', name, count: evicted, cause: 'size' })
    return past + cleared
  }
}
