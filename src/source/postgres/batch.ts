import { TidemarkError } from '../../errors.ts'
import type { RevisionAnswer, RevisionBatch, RevisionSource } from '../../revision.ts'
import { runStatement, type PgClient, type PgRow } from '../../pg/client.ts'
import { gateStatement, type GateAnswer, type GateStatement } from './gate-statement.ts'
import { Memory } from './memory.ts'
import type { PgRevision } from './settings.ts'
import { lookUp, type Found } from './relation.ts'

/** How often what is gone is looked for again before the reader is told. */
const ATTEMPTS = 2
/** So often at most it is looked for whether tables and triggers are as they were: it takes as long as all the rest. */
const CHECK_MS = 250

/** A statement that was put together, and what it last said as a whole. */
interface Prepared {
  readonly gate: GateStatement
  whole: PgRow | undefined
  checkedAtMs: number
}

/** What came of asking. */
interface Asked {
  readonly answer: readonly string[]
  readonly isAnnounced: readonly boolean[]
}

const batches = new WeakMap<PgClient, PgBatch>()

/** The one batch of a client: all revisions that are read through it. */
export function batchOf(client: PgClient): RevisionBatch {
  let batch = batches.get(client)
  if (!batch) batches.set(client, (batch = new PgBatch(client)))
  return batch
}

/** Reads revisions through one client: whatever their modes and tables, in one statement. */
class PgBatch implements RevisionBatch {
  readonly #client: PgClient
  /** The statements that were put together, by the sections they are for. */
  readonly #statements = new Map<string, Prepared>()
  readonly #ids = new WeakMap<RevisionSource, number>()
  readonly #memory = new Memory()
  #lastId = 0

  constructor(client: PgClient) {
    this.#client = client
  }

  async read(sources: readonly RevisionSource[]): Promise<RevisionAnswer> {
    const revisions = sources as readonly PgRevision[]
    const known = this.#memory.recall(revisions)
    if (known) return known
    const remember = this.#memory.asking(revisions)
    const key = revisions.map((it) => this.#idOf(it)).join()
    const { answer, isAnnounced } = await this.#ask(key, revisions)
    remember(answer, isAnnounced)
    return { revisions: answer, ageMs: 0 }
  }

  async #ask(key: string, revisions: readonly PgRevision[]): Promise<Asked> {
    for (let attempt = 1; ; attempt++) {
      const isKnown = this.#statements.has(key)
      try {
        const prepared = this.#statements.get(key) ?? (await this.#prepare(key, revisions))
        const answer = await this.#run(prepared)
        if (answer?.isWriting) throw inTransaction()
        if (answer?.isIncomplete === false) return { answer: answer.revisions, isAnnounced: prepared.gate.isAnnounced }
        this.#statements.delete(key)
        if (attempt === ATTEMPTS) throw notInstalled(revisions[0] as PgRevision, tablesOf(revisions), 'was taken away')
      } catch (error) {
        if (!isKnown || attempt === ATTEMPTS || !isUndefined(error)) throw error
        // What the statement names was dropped or made anew since it was put together.
        this.#statements.delete(key)
      }
    }
  }

  /** The answer, or nothing when the tables were altered since they were looked up. */
  async #run(prepared: Prepared): Promise<GateAnswer | undefined> {
    const { gate, whole, checkedAtMs } = prepared
    const now = performance.now()
    const isQuick = whole !== undefined && now < checkedAtMs + CHECK_MS
    const [row = {}] = await runStatement(this.#client, isQuick ? gate.quick : gate.whole)
    if (isQuick) return gate.parse(row, whole)
    if (whole !== undefined && gate.makeOf(row) !== gate.makeOf(whole)) return undefined
    prepared.whole = row
    prepared.checkedAtMs = now
    return gate.parse(row, row)
  }

  /** Finds out what the tables are called and made of. Errors: `revision-table`, `revision-not-installed`. */
  async #prepare(key: string, revisions: readonly PgRevision[]): Promise<Prepared> {
    const parts = await Promise.all(
      revisions.map(async (revision) => {
        const found = await lookUp(this.#client, revision.settings.schema, revision.tables)
        if (!revision.settings.watermark) checkInstalled(revision, found)
        return { revision, found }
      }),
    )
    const prepared = { gate: gateStatement(parts), whole: undefined, checkedAtMs: 0 }
    this.#statements.set(key, prepared)
    return prepared
  }

  #idOf(source: RevisionSource): number {
    let id = this.#ids.get(source)
    if (id === undefined) this.#ids.set(source, (id = ++this.#lastId))
    return id
  }
}

function tablesOf(revisions: readonly PgRevision[]): string[] {
  return revisions.filter(({ settings }) => !settings.watermark).flatMap(({ tables }) => tables)
}

/** Partitions made since are told by `revisionsStatus`; the table itself must have its trigger. */
function checkInstalled(revision: PgRevision, { tables, isInstalled }: Found): void {
  const bare = tables.filter(({ relations }) => relations[0]?.trigger?.isEnabled !== true).map(({ given }) => given)
  if (!isInstalled) throw notInstalled(revision, revision.tables, 'is not installed')
  if (bare.length > 0) throw notInstalled(revision, bare, 'is not installed')
}

function notInstalled({ settings }: PgRevision, tables: readonly string[], what: string): TidemarkError {
  const schema = settings.schema === 'tidemark' ? '' : ` --schema ${settings.schema}`
  return new TidemarkError('revision-not-installed', `What keeps the revision of ${tables.join(', ')} ${what}.`, {
    hint: `Run \`tidemark install-revisions --tables ${tables.join(',')}${schema}\`, or use the mode watermark.`,
    data: { tables, schema: settings.schema },
  })
}

function inTransaction(): TidemarkError {
  return new TidemarkError(
    'revision-in-transaction',
    'The connection revisions are read through has a transaction open that writes.',
  )
}

/** SQLSTATEs of a schema, table, function or column that does not exist, and of a plan that no longer fits. */
function isUndefined(error: unknown): boolean {
  const codes = ['3F000', '42P01', '42883', '42703', '0A000']
  return typeof error === 'object' && error !== null && 'code' in error && codes.includes(error.code as string)
}
