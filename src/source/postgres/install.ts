import { invalidOption, refuseUnknown } from '../../errors.ts'
import { checkTables } from '../tables.ts'
import { isPgClient, runScript, runStatement, type PgClient } from '../../pg/client.ts'
import { quoteName, quoteText, resolveSchema } from '../../pg/quote.ts'
import { installedTriggers, lookUp, lookUpKnown, type Found, type InstalledTrigger } from './relation.ts'
import {
  TRIGGER_PREFIX,
  analyzeScript,
  dropScript,
  newEraScript,
  schemaScript,
  triggerScript,
  upgradeScript,
  type TriggerMode,
} from './schema.ts'

/** Options of {@link installRevisions}. */
export interface InstallOptions {
  /** The tables to watch, as the connection's search path names them; partitions come along. */
  readonly tables: readonly string[]
  /**
   * How a write is counted: `counters` (default) in a few rows that are written again and again; `snapshot` as a line of
   * its own, which suits transactions under `repeatable read` and `serializable`.
   */
  readonly mode?: TriggerMode | undefined
  /** Also tells listeners of each commit; see `pgListen`. Commits of notifying transactions queue up. Defaults to `false`. */
  readonly notify?: boolean | undefined
  /** The schema our own tables lie in. Defaults to `tidemark`. */
  readonly schema?: string | undefined
}

/** Options of {@link removeRevisions}. */
export interface RemoveOptions {
  /** The tables to leave alone from now on. Defaults to all of them. */
  readonly tables?: readonly string[] | undefined
  /** The schema our own tables lie in. Defaults to `tidemark`. */
  readonly schema?: string | undefined
}

/** Options of {@link renewRevisions} and `revisionsStatus`. */
export interface SchemaOptions {
  /** The schema our own tables lie in. Defaults to `tidemark`. */
  readonly schema?: string | undefined
}

/**
 * Scripts of two who install at the same time must not meet halfway. Opening a table after the wait makes this session see
 * what the other one made; its caches would say that it is not there. Waiting for a table's lock has an end.
 */
const PROLOGUE = `
set local lock_timeout = '10s';
select pg_advisory_xact_lock(hashtextextended('tidemark install', 0));
select from pg_catalog.pg_namespace limit 0;`

/**
 * Puts the triggers on tables that tell `pgRevision` of their changes. All or nothing; done again, it changes nothing but
 * what is missing or different, such as new partitions, and what an earlier version made. Needs the owner of the tables.
 * Resolves to the tables and partitions that got a trigger.
 *
 * @throws `revision-table` for what is no table, `invalid-option`, and what the database says
 */
export async function installRevisions(client: PgClient, options: InstallOptions): Promise<string[]> {
  checkClient(client, 'installRevisions')
  const { tables, mode, notify, schema } = resolveInstall(options)
  const found = await lookUp(client, schema, tables)
  const changes = found.tables.flatMap((table) =>
    table.relations
      .filter(({ trigger }) => trigger?.mode !== mode || trigger.notify !== notify || !trigger.isAlways)
      .map((relation) => ({
        name: relation.name,
        script: triggerScript(schema, relation, { ...table, mode, notify }),
      })),
  )
  const former = await formerTriggers(client, schema, found)
  if (changes.length === 0 && former.length === 0 && found.isInstalled) return []
  const slots = found.tables.map(({ scope }) => slotScript(schema, scope))
  // What was not counted for a while may be where it was: a new era tells it from before.
  const parts = [
    PROLOGUE,
    schemaScript(schema),
    ...slots,
    ...former.map(dropTrigger),
    ...changes.map((it) => it.script),
    upgradeScript(schema),
    newEraScript(schema),
    analyzeScript(schema),
  ]
  await runScript(client, parts.join('\n'))
  return changes.map(({ name }) => name)
}

/** Takes the triggers off tables; with the last one our schema goes too. Resolves to the tables that had one. */
export async function removeRevisions(client: PgClient, options: RemoveOptions = {}): Promise<string[]> {
  checkClient(client, 'removeRevisions')
  const { tables, schema } = resolveRemove(options)
  const triggers = await installedTriggers(client, schema)
  const chosen = tables && (await chosenScopes(client, schema, tables))
  const gone = triggers.filter(({ scope }) => !chosen || chosen.includes(scope))
  const { isThere } = await lookUp(client, schema, ['pg_catalog.pg_class'])
  if (gone.length === 0 && !(isThere && triggers.length === 0)) return []
  const drops = gone.map(dropTrigger)
  const scopes = [...new Set(gone.map(({ scope }) => scope))]
  const rows = scopes.map(
    (scope) => `delete from ${quoteName(schema)}.tidemark_revision where scope = ${quoteText(scope)};`,
  )
  const rest = gone.length === triggers.length ? [dropScript(schema)] : [...rows, newEraScript(schema)]
  await runScript(client, [PROLOGUE, ...drops, ...rest].join('\n'))
  return scopes
}

/**
 * Begins a new era: every revision is one that was never told before, so every view is built anew. Call it after data was
 * replaced in a way that neither fires triggers nor alters a table.
 */
export async function renewRevisions(client: PgClient, options: SchemaOptions = {}): Promise<void> {
  checkClient(client, 'renewRevisions')
  const schema = resolveSchemaOptions('renewRevisions()', options)
  await runStatement(client, { text: newEraScript(schema), values: [] })
}

/** Errors: `invalid-option`, `unknown-option`. */
export function resolveInstall(options: InstallOptions): {
  readonly tables: readonly string[]
  readonly mode: TriggerMode
  readonly notify: boolean
  readonly schema: string
} {
  refuseUnknown('installRevisions()', options, ['tables', 'mode', 'notify', 'schema'])
  const { mode = 'counters', notify = false } = options
  if (mode !== 'counters' && mode !== 'snapshot')
    throw invalidOption('installRevisions.mode', "'counters' or 'snapshot'", mode)
  if (typeof notify !== 'boolean') throw invalidOption('installRevisions.notify', 'true or false', notify)
  const tables = checkTables(options.tables, 'installRevisions.tables')
  return { tables, mode, notify, schema: resolveSchema(options.schema, 'installRevisions.schema') }
}

/** Errors: `invalid-option`, `unknown-option`. */
export function resolveRemove(options: RemoveOptions): {
  readonly tables: readonly string[] | undefined
  readonly schema: string
} {
  refuseUnknown('removeRevisions()', options, ['tables', 'schema'])
  return {
    tables: options.tables && checkTables(options.tables, 'removeRevisions.tables'),
    schema: resolveSchema(options.schema, 'removeRevisions.schema'),
  }
}

/** Errors: `invalid-option`, `unknown-option`. */
export function resolveSchemaOptions(where: string, options: SchemaOptions): string {
  refuseUnknown(where, options, ['schema'])
  return resolveSchema(options.schema, 'schema')
}

/** Triggers that speak for these tables under a name we no longer give: they would count a second time. */
async function formerTriggers(client: PgClient, schema: string, { tables }: Found): Promise<InstalledTrigger[]> {
  const names = new Map(tables.map(({ scope, hash }) => [scope, `${TRIGGER_PREFIX}${hash}`] as const))
  const triggers = await installedTriggers(client, schema)
  return triggers.filter(({ scope, name }) => names.has(scope) && names.get(scope) !== name)
}

function dropTrigger({ name, relation }: InstalledTrigger): string {
  return `drop trigger if exists ${quoteName(name)} on ${relation};`
}

function slotScript(schema: string, scope: string): string {
  const revision = `${quoteName(schema)}.tidemark_revision`
  return `insert into ${revision} (scope, slot, n) values (${quoteText(scope)}, 0, 0) on conflict do nothing;`
}

/** As they were called when they were installed; one that was renamed or dropped since is named so. */
async function chosenScopes(client: PgClient, schema: string, tables: readonly string[]): Promise<string[]> {
  const found = await lookUpKnown(client, schema, tables)
  return [...tables, ...found.map(({ scope }) => scope)]
}

function checkClient(client: unknown, where: string): void {
  if (!isPgClient(client))
    throw invalidOption(`${where}.client`, 'a Pool, Client, PGlite or postgres.js client', client)
}
