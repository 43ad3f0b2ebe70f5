import { TidemarkError } from '../../errors.ts'
import type { PgRow } from '../../pg/client.ts'
import type { Changes } from '../changes.ts'
import { isMissing, lostAgain } from './failure.ts'
import type { Link } from './link.ts'
import { LAYOUT_VERSION, layoutScript, type Queries, type Query } from './query.ts'

/** What is lost when a life ends. */
const ALL = { name: undefined }
/** How often a life that is lost again and again is looked for before the operation fails. */
const ATTEMPTS = 3

/**
 * What this process knows of the tables: which life of the data they are in, and how far its changes were taken in. A life
 * ends when PostgreSQL crashed (which empties unlogged tables), when the data came from a dump or another server, and when
 * our tables were emptied or dropped.
 */
export class Place {
  /** `''` before it was looked for and after it was lost. */
  life = ''
  /** Changes up to this sequence were taken in. */
  known = 0
  /** Tables that are missing are not made. */
  readOnly = false
  readonly #link: Link
  readonly #queries: Queries
  readonly #changes: Changes
  /** The life as the data have it; a server that was started anew has the same one. */
  #lifeOfData = ''
  #ready: Promise<void> | undefined
  /** What has to be added to `performance.now()` to get the server's clock; never too little. */
  #clockOffsetMs = 0
  /** When it was first asked for without success, by `performance.now()`. */
  #wantedSinceMs: number | undefined

  constructor(link: Link, queries: Queries, changes: Changes) {
    this.#link = link
    this.#queries = queries
    this.#changes = changes
  }

  get isReady(): boolean {
    return this.life !== ''
  }

  /** Resolves when `life` can be used; the tables are made if need be. */
  ready(): Promise<void> {
    if (this.#ready) return this.#ready
    this.#wantedSinceMs ??= performance.now()
    const ready = this.#open()
    this.#ready = ready
    ready.catch(() => {
      if (this.#ready === ready) this.#ready = undefined
    })
    return ready
  }

  /** It is not the life we knew: it is looked for anew before anything else is done. */
  lost(life: string): void {
    // Somebody else may have noticed first.
    if (this.life !== life) return
    this.life = ''
    this.#ready = undefined
  }

  /** The server's clock was seen at `serverMs`, in an answer to what was sent at `sentAtMs`; `hasStepped`: what was known of it is wrong. */
  sawClock(serverMs: number, sentAtMs: number, hasStepped: boolean): void {
    // It answered after it was sent, so this is at most the round trip too much: a deadline never comes early. The least of
    // several is the closest.
    const offsetMs = serverMs - sentAtMs
    this.#clockOffsetMs = hasStepped ? offsetMs : Math.min(offsetMs, this.#clockOffsetMs)
  }

  /** When the server may no longer do what was asked for at `issuedAtMs`, by its clock. */
  deadline(issuedAtMs: number): number {
    return Math.min(issuedAtMs + this.#link.budgetMs + this.#clockOffsetMs, Number.MAX_SAFE_INTEGER)
  }

  /**
   * Runs a statement that names the life; when that is over, as `parse` tells by `undefined`, again in the next one.
   * Resolves to `undefined` when `values` has none any more.
   */
  async run<T>(
    query: Query,
    values: (life: string) => readonly unknown[] | undefined,
    parse: (rows: readonly PgRow[], life: string) => T | undefined,
  ): Promise<T | undefined> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      // Not awaited where there is no need: what is asked for first shall go first.
      if (!this.isReady) await this.ready()
      const { life } = this
      const parameters = values(life)
      if (!parameters) return undefined
      try {
        const answer = parse(await this.#link.run(query, parameters), life)
        if (answer !== undefined) return answer
      } catch (error) {
        if (!isMissing(error)) throw error
      }
      this.lost(life)
    }
    throw lostAgain()
  }

  /** Takes in what an answer says of changes up to `sequence`; another answer may have told some of it. */
  takeIn(life: string, sequence: number, told: { others: unknown; own?: unknown; isComplete: boolean }): void {
    if (life !== this.life || sequence <= this.known) return
    const { known } = this
    this.known = sequence
    for (const slot of slotsAfter(known, told.own)) this.#changes.touch(slot)
    if (told.isComplete) this.#changes.tookIn(slotsAfter(known, told.others))
    else this.#changes.lost(ALL)
  }

  async #open(): Promise<void> {
    const { row, sentAtMs } = await this.#found()
    const version = Number(row['version'])
    if (version > LAYOUT_VERSION) {
      const message = `The tables in the schema ${this.#queries.schema} have version ${version}; this Tidemark knows up to ${LAYOUT_VERSION}.`
      throw new TidemarkError('tier-newer', message, {
        hint: 'A newer Tidemark made these tables: upgrade, or choose another schema.',
      })
    }
    if (row['encoding'] !== 'UTF8') {
      throw new TidemarkError('tier-unavailable', `The database is encoded in ${String(row['encoding'])}.`, {
        hint: 'Put the cache into a database whose encoding is UTF8: others cannot hold every key.',
      })
    }
    const life = String(row['known_life'])
    const lifeOfData = life.split('@')[0] as string
    const sequence = Number(row['seq'])
    const isSame = lifeOfData === this.#lifeOfData && sequence >= this.known
    const isFirst = this.#lifeOfData === ''
    this.#lifeOfData = lifeOfData
    this.life = life
    this.sawClock(Number(row['server_ms']), sentAtMs, true)
    if (!isSame) this.known = sequence
    // Whoever waited too long for the first answer went on without us, and may hold what was changed meanwhile.
    if (isFirst ? this.#wasMissed() : !isSame) this.#changes.lost(ALL)
    this.#wantedSinceMs = undefined
  }

  async #found(): Promise<{ row: PgRow; sentAtMs: number }> {
    for (let attempt = 1; ; attempt++) {
      const sentAtMs = performance.now()
      try {
        const [row] = await this.#link.runOrGiveUp(this.#queries.open)
        if (row && row['version'] !== null) return { row, sentAtMs }
        if (attempt === ATTEMPTS) throw lostAgain()
      } catch (error) {
        if (!isMissing(error) || attempt === ATTEMPTS) throw error
      }
      if (this.readOnly) throw noTables(this.#queries.schema)
      await this.#link.script(layoutScript(this.#queries.schema))
    }
  }

  #wasMissed(): boolean {
    return performance.now() - (this.#wantedSinceMs ?? Number.POSITIVE_INFINITY) >= this.#link.budgetMs
  }
}

function noTables(schema: string): TidemarkError {
  return new TidemarkError('tier-unavailable', `There is no cache in the schema ${schema}.`, {
    hint: 'Name the schema of a cache; none was made.',
    data: { schema, isMissing: true },
  })
}

/** The slots of `seq:slot,…` that changed after a sequence. */
function slotsAfter(known: number, text: unknown): number[] {
  if (typeof text !== 'string') return []
  const changes = text.split(',').map((it) => it.split(':', 2).map(Number) as [number, number])
  return changes.filter(([sequence]) => sequence > known).map(([, slot]) => slot)
}
