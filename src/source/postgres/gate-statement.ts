// One statement that tells the revisions of any number of sections.

import { createHash } from 'node:crypto'
import type { PgRow, Statement } from '../../pg/client.ts'
import type { PgRevision, WatermarkSettings } from './settings.ts'
import { quoteName, quoteText } from '../../pg/quote.ts'
import { controlOf, eraOf, makeOf, missingTriggers, strayMembers, strayNames } from './gate-checks.ts'
import type { Found, TrackedTable } from './relation.ts'

/** A section with what the database knows of its tables. */
export interface GatePart {
  readonly revision: PgRevision
  readonly found: Found
}

/** What one run of the statement said. */
export interface GateAnswer {
  readonly revisions: readonly string[]
  /** The connection is in a transaction that has written: what it sees may never be committed. */
  readonly isWriting: boolean
  /** Tables, triggers or rows that were there are gone, or others have taken their place. */
  readonly isIncomplete: boolean
}

/** The statement in two forms, and how its one row is read. */
export interface GateStatement {
  /** Also looks whether all tables and triggers are those that were found, and which server this is. */
  readonly whole: Statement
  /** Only what may change from one moment to the next; its row is read with what the last whole one said. */
  readonly quick: Statement
  readonly parse: (row: PgRow, whole: PgRow) => GateAnswer
  /** What a whole row says of the tables themselves: when it is another than before, they are to be looked up again. */
  readonly makeOf: (whole: PgRow) => string
  /** The sections, by their place, of which every commit is announced. */
  readonly isAnnounced: readonly boolean[]
}

/** Named, so that a connection plans each form once. */
export function gateStatement(parts: readonly GatePart[]): GateStatement {
  const kept = parts.filter(({ revision }) => !revision.settings.watermark)
  const schemas = [...new Set(kept.map(({ revision }) => revision.settings.schema))]
  const columns = [
    'pg_current_xact_id_if_assigned() is not null as writing',
    ...schemas.map((schema, i) => `${eraOf(schema)} as era${i}`),
    ...parts.map((part, i) => `${revisionOf(part, i, schemas)} as revision${i}`),
  ]
  const stray = [
    strayNames(parts.flatMap(({ found }) => found.tables)),
    ...schemas.flatMap((schema) => [
      missingTriggers(schema, tablesIn(schema, kept)),
      strayMembers(tablesIn(schema, kept)),
    ]),
  ]
  const checks = [
    `${stray.join('\n  + ')} as stray`,
    ...kept.slice(0, 1).map(({ found }) => `${controlOf(found)} as control`),
    ...parts.flatMap((part, i) => (kept.includes(part) ? [`${makeOf(part.found.tables)} as make${i}`] : [])),
  ]
  const counts = schemas.map((schema, i) => `(${countsOf(schema, parts)}) counted${i}`)
  const firsts = schemas.map((_, i) => `counted${i}.firsts as firsts${i}`)
  const from = counts.length === 0 ? '' : `\nfrom ${counts.join(', ')}`
  const expected = schemas.map((schema) => tablesIn(schema, kept).length)
  const eras = parts.map(() => new ShortText())
  return {
    whole: named(`select ${[...columns, ...firsts, ...checks].join(',\n  ')}${from}`),
    quick: named(`select ${[...columns, ...firsts].join(',\n  ')}${from}`),
    parse: (row, whole) => ({
      revisions: parts.map(({ revision }, i) => {
        const own = String(row[`revision${i}`])
        if (revision.settings.watermark) return own
        const era = String(row[`era${schemas.indexOf(revision.settings.schema)}`])
        return `${(eras[i] as ShortText).of(`${era}:${String(whole['control'])}:${String(whole[`make${i}`])}`)}.${own}`
      }),
      isWriting: row['writing'] === true,
      isIncomplete: Number(whole['stray']) !== 0 || schemas.some((_, i) => Number(row[`firsts${i}`]) !== expected[i]),
    }),
    makeOf: (whole) => parts.map((_, i) => whole[`make${i}`]).join(),
    isAnnounced: parts.map(({ found }) =>
      found.tables.every(({ relations }) => relations.every(({ trigger }) => trigger?.notify !== false)),
    ),
  }
}

/** Eras are long, and nearly always the one before. */
class ShortText {
  #long = ''
  #short = ''

  of(long: string): string {
    if (this.#long !== long) {
      this.#long = long
      this.#short = createHash('sha256').update(long).digest('base64url').slice(0, 8)
    }
    return this.#short
  }
}

function named(text: string): Statement {
  return { name: `tidemark_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`, text, values: [] }
}

/** One pass over what is counted in a schema, for all sections: a column for each, and how many tables have their first row. */
function countsOf(schema: string, parts: readonly GatePart[]): string {
  const own = parts.map((part, i) => ({ part, i })).filter(({ part: { revision } }) => isIn(schema, revision))
  const scopesOf = ({ found }: GatePart): string => found.tables.map(({ scope }) => quoteText(scope)).join(', ')
  // A sum of doubles costs half of one of numerics, and is exact up to 2⁵³.
  const sums = own.map(({ part, i }) => `sum(n::float8) filter (where scope in (${scopesOf(part)})) as sum${i}`)
  const all = tablesIn(schema, parts)
    .map(({ scope }) => quoteText(scope))
    .join(', ')
  return `select ${sums.join(', ')}, count(*) filter (where slot = 0) as firsts
  from ${quoteName(schema)}.tidemark_revision where scope in (${all})`
}

function revisionOf({ revision, found }: GatePart, i: number, schemas: readonly string[]): string {
  const { schema, watermark } = revision.settings
  if (watermark) return watermarkOf(watermark, found.tables)
  const sum = `counted${schemas.indexOf(schema)}.sum${i}`
  const parents = found.tables.filter((it) => it.isPartitioned).flatMap((it) => it.relations.map(({ oid }) => oid))
  if (parents.length === 0) return `${sum}::text`
  // Attaching and detaching a partition changes the data without a write.
  const members = `(select count(*) || '-' || coalesce(sum(inhrelid::bigint), 0) from pg_catalog.pg_inherits where inhparent in (${parents.join(', ')}))`
  return `concat_ws('/', ${sum}, ${members})`
}

function watermarkOf({ columnOf, overlapMs, rebuildMs }: WatermarkSettings, tables: readonly TrackedTable[]): string {
  const marks = tables.map(({ given, relations: [root] }) => {
    const column = quoteName(columnOf(given))
    const newest = `(select max(${column}) from ${root?.name})`
    return `(select concat_ws(',', count(*), extract(epoch from max(${column})),
      sum(extract(epoch from ${column})) filter (where ${column} >= ${newest} - interval '${overlapMs} milliseconds'))
      from ${root?.name})`
  })
  return `concat_ws('/', floor(extract(epoch from now()) * 1000 / ${rebuildMs}), ${marks.join(', ')})`
}

/** The tables that are counted in a schema, each once. */
function tablesIn(schema: string, parts: readonly GatePart[]): TrackedTable[] {
  const own = parts.filter(({ revision }) => isIn(schema, revision))
  return [...new Map(own.flatMap(({ found }) => found.tables.map((it) => [it.scope, it] as const))).values()]
}

function isIn(schema: string, { settings }: PgRevision): boolean {
  return settings.watermark === undefined && settings.schema === schema
}
