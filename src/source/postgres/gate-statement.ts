// One statement that tells the revisions of any number of sections.

import { createHash } from 'node:crypto'
import type { PgRow, Statement } from '../../pg/client.ts'
import type { PgRevision, WatermarkSettings } from './settings.ts'
import { quoteName, quoteText } from '../../pg/quote.ts'
import type { Found, TrackedTable } from './relation.ts'
import { TRIGGER_PREFIX } from './schema.ts'

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
  /** Triggers or rows that were there are gone. */
  readonly isIncomplete: boolean
}

/** The statement in two forms, and how its one row is read. */
export interface GateStatement {
  /** Also looks whether all triggers are there, and which server this is. */
  readonly whole: Statement
  /** Only what may change from one moment to the next; its row is read with what the last whole one said. */
  readonly quick: Statement
  readonly parse: (row: PgRow, whole: PgRow) => GateAnswer
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
  const checks = schemas.flatMap((schema, i) => [
    `${shortfallOf(schema, kept)} as missing${i}`,
    `${controlOf(schema, kept)} as control${i}`,
  ])
  const counts = schemas.map((schema, i) => `(${countsOf(schema, parts)}) counted${i}`)
  const firsts = schemas.map((_, i) => `counted${i}.firsts as firsts${i}`)
  const from = counts.length === 0 ? '' : `\nfrom ${counts.join(', ')}`
  const expected = schemas.map((schema) => tablesIn(schema, kept).length)
  return {
    whole: named(`select ${[...columns, ...firsts, ...checks].join(',\n  ')}${from}`),
    quick: named(`select ${[...columns, ...firsts].join(',\n  ')}${from}`),
    parse: (row, whole) => ({
      revisions: parts.map(({ revision }, i) => {
        const own = String(row[`revision${i}`])
        const at = schemas.indexOf(revision.settings.schema)
        if (revision.settings.watermark) return own
        return `${shortEra(`${String(row[`era${at}`])}:${String(whole[`control${at}`])}`)}.${own}`
      }),
      isWriting: row['writing'] === true,
      isIncomplete: schemas.some(
        (_, i) => Number(whole[`missing${i}`]) !== 0 || Number(row[`firsts${i}`]) !== expected[i],
      ),
    }),
  }
}

function named(text: string): Statement {
  return { name: `tidemark_${createHash('sha256').update(text).digest('hex').slice(0, 16)}`, text, values: [] }
}

/** Which life of the data this is: a row that is made anew by `install` and `renew`, and the number of our own table. */
function eraOf(schema: string): string {
  const s = quoteName(schema)
  return `concat_ws(':', (select id from ${s}.tidemark_era), ${quoteText(`${s}.tidemark_revision`)}::regclass::oid)`
}

/** Which server, and which of its timelines: they differ after a restore that nobody told us of. */
function controlOf(schema: string, kept: readonly GatePart[]): string {
  const maySeeControl = kept.some(({ revision, found }) => revision.settings.schema === schema && found.maySeeControl)
  if (!maySeeControl) return "''"
  return `concat_ws(':', (select system_identifier from pg_control_system()), (select timeline_id from pg_control_checkpoint()))`
}

/** How many triggers are less than there were: without them a revision would stand still for ever. */
function shortfallOf(schema: string, kept: readonly GatePart[]): string {
  const triggers = tablesIn(schema, kept).flatMap(({ hash, relations }) =>
    relations.filter(({ trigger }) => trigger?.isEnabled).map(({ oid }) => ({ oid, name: `${TRIGGER_PREFIX}${hash}` })),
  )
  const oids = triggers.map(({ oid }) => oid).join(', ')
  const names = [...new Set(triggers.map(({ name }) => quoteText(name)))].join(', ')
  return `${triggers.length} - (select count(*) from pg_catalog.pg_trigger
    where tgrelid in (${oids}) and tgname in (${names}) and tgenabled in ('O', 'A'))`
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

let lastEra = { long: '', short: '' }

/** Eras are long, and nearly always the one before. */
function shortEra(long: string): string {
  if (lastEra.long !== long)
    lastEra = { long, short: createHash('sha256').update(long).digest('base64url').slice(0, 8) }
  return lastEra.short
}
