import { TidemarkError } from '../../errors.ts'
import { runStatement, type PgClient, type PgRow } from '../../pg/client.ts'
import { quoteName, quoteText } from '../../pg/quote.ts'
import { TRIGGER_PREFIX, bumpFunction, isCurrent, scopeHash, type TriggerMode } from './schema.ts'

/** One table as the database knows it, with its partitions. */
export interface TrackedTable {
  /** As it was given. */
  readonly given: string
  /** `schema.table`: what its revision is kept under. */
  readonly scope: string
  readonly hash: string
  readonly isPartitioned: boolean
  /** The table itself first, then everything that inherits from it. */
  readonly relations: readonly TrackedRelation[]
}

/** A table, or one of its partitions, with the trigger on it. */
export interface TrackedRelation {
  readonly oid: string
  readonly name: string
  readonly isForeign: boolean
  readonly trigger: TrackedTrigger | undefined
}

/** How a trigger of ours does its work. */
export interface TrackedTrigger {
  readonly mode: TriggerMode
  readonly notify: boolean
  /** It fires for what an application writes. */
  readonly isEnabled: boolean
  /** It also fires for what replays the writes of others. */
  readonly isAlways: boolean
}

/** Tables, partitioned tables, foreign tables. */
const TABLE_KINDS = new Set(['r', 'p', 'f'])

/** What the schema of ours looks like to this client. */
export interface Found {
  readonly tables: readonly TrackedTable[]
  /** Everything but triggers is there, as it is made today. */
  readonly isInstalled: boolean
  /** At least something is there, maybe as it was made before. */
  readonly isThere: boolean
  /** Whether this user may ask which server, and which of its lives, this is. */
  readonly maySeeControl: boolean
}

/** Looks tables up, as this connection's search path names them. Errors: `revision-table` for one that is none. */
export async function lookUp(client: PgClient, schema: string, tables: readonly string[]): Promise<Found> {
  const rows = await runStatement(client, { text: lookUpText(schema, tables), values: [] })
  const [first] = rows
  return {
    tables: tables.map((given) => {
      const own = rows.filter((row) => row['given'] === given)
      if (typeof own[0]?.['kind'] !== 'string') throw noTable(given, 'there is no such table')
      if (!TABLE_KINDS.has(own[0]['kind'])) throw noTable(given, 'it is no table')
      return tableOf(given, own)
    }),
    isInstalled: first?.['installed'] === true,
    isThere: first?.['there'] === true,
    maySeeControl: first?.['control'] === true,
  }
}

/** Looks tables up; those that are there no more are left out. */
export async function lookUpKnown(
  client: PgClient,
  schema: string,
  tables: readonly string[],
): Promise<readonly TrackedTable[]> {
  if (tables.length === 0) return []
  const rows = await runStatement(client, { text: lookUpText(schema, tables), values: [] })
  const groups = Map.groupBy(rows, (row) => row['given'] as string)
  return Array.from(groups, ([given, own]) => tableOf(given, own)).filter(({ scope }) => typeof scope === 'string')
}

/** A trigger of ours, on whatever it is by now. */
export interface InstalledTrigger {
  /** What the table was called when it was installed. */
  readonly scope: string
  readonly name: string
  readonly relation: string
  readonly mode: TriggerMode
  readonly notify: boolean
}

/** Every trigger that counts in this schema. */
export async function installedTriggers(client: PgClient, schema: string): Promise<InstalledTrigger[]> {
  const rows = await runStatement(client, {
    text: `select ${argument(1)} as scope, g.tgname::text as name, format('%I.%I', cn.nspname, c.relname) as relation,
  ${argument(3)} as mode, ${argument(4)} as notify
from pg_catalog.pg_trigger g
  join pg_catalog.pg_proc p on p.oid = g.tgfoid join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  join pg_catalog.pg_class c on c.oid = g.tgrelid join pg_catalog.pg_namespace cn on cn.oid = c.relnamespace
where starts_with(g.tgname, ${quoteText(TRIGGER_PREFIX)}) and n.nspname = ${quoteText(schema)} order by 1, 3`,
    values: [],
  })
  return rows.map((row) => ({
    scope: row['scope'] as string,
    name: row['name'] as string,
    relation: row['relation'] as string,
    mode: row['mode'] === 'snapshot' ? 'snapshot' : 'counters',
    notify: row['notify'] === 'notify',
  }))
}

function lookUpText(schema: string, tables: readonly string[]): string {
  const revision = quoteText(`${quoteName(schema)}.tidemark_revision`)
  return `
with recursive asked as (
  select t.given, to_regclass(t.given) as root from unnest(array[${tables.map(quoteText).join(', ')}]::text[]) as t (given)
), member (given, root, relation, depth) as (
  select given, root, root::oid, 0 from asked
  union
  select m.given, m.root, i.inhrelid, m.depth + 1 from member m join pg_catalog.pg_inherits i on i.inhparent = m.relation
)
select m.given, m.depth, m.relation::text as oid, c.relkind::text as kind,
  quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name,
  k.scope, k.hash, g.tgenabled::text as enabled, ${argument(3)} as mode, ${argument(4)} as notify,
  ${isCurrent(schema)} as installed, to_regclass(${revision}) is not null as there,
  has_function_privilege('pg_control_system()', 'execute')
    and has_function_privilege('pg_control_checkpoint()', 'execute') as control
from member m
left join pg_catalog.pg_class c on c.oid = m.relation
left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
left join pg_catalog.pg_class rc on rc.oid = m.root
left join pg_catalog.pg_namespace rn on rn.oid = rc.relnamespace
left join lateral (select s.scope, ${scopeHash(schema, 's.scope')} as hash
  from (select quote_ident(rn.nspname) || '.' || quote_ident(rc.relname) as scope) s) k on true
left join pg_catalog.pg_trigger g on g.tgrelid = m.relation and g.tgname = ${quoteText(TRIGGER_PREFIX)} || k.hash
  and g.tgfoid = ${bumpFunction(schema)}
order by m.depth, 5`
}

/** The n-th argument of a trigger, which the catalog keeps as bytes that end with a NUL each. */
function argument(n: number): string {
  return `(string_to_array(encode(g.tgargs, 'escape'), '\\000'))[${n}]`
}

function tableOf(given: string, rows: readonly PgRow[]): TrackedTable {
  const [root] = rows
  return {
    given,
    scope: root?.['scope'] as string,
    hash: root?.['hash'] as string,
    isPartitioned: rows.length > 1 || root?.['kind'] === 'p',
    relations: rows.map((row) => ({
      oid: row['oid'] as string,
      name: row['name'] as string,
      isForeign: row['kind'] === 'f',
      trigger:
        typeof row['enabled'] === 'string'
          ? {
              mode: row['mode'] === 'snapshot' ? 'snapshot' : 'counters',
              notify: row['notify'] === 'notify',
              isEnabled: row['enabled'] !== 'D' && row['enabled'] !== 'R',
              isAlways: row['enabled'] === 'A',
            }
          : undefined,
    })),
  }
}

function noTable(given: string, why: string): TidemarkError {
  return new TidemarkError('revision-table', `Cannot tell the revision of ${JSON.stringify(given)}: ${why}.`, {
    data: { table: given },
  })
}
