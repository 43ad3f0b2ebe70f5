import { runStatement, type PgClient } from '../../pg/client.ts'
import { quoteName } from '../../pg/quote.ts'
import { installedTriggers, lookUpKnown } from './relation.ts'
import { resolveSchemaOptions, type SchemaOptions } from './install.ts'
import type { TriggerMode } from './schema.ts'

/** What watches one table. */
export interface RevisionStatus {
  /** `schema.table`. */
  readonly table: string
  readonly mode: TriggerMode
  readonly notify: boolean
  /** How many transactions have written it since it was installed. */
  readonly count: number
  /** How many rows that count is spread over. */
  readonly rows: number
  /**
   * Partitions without a trigger, or with one that is switched off: what is written to them directly is not seen. The
   * table itself when it is called something else by now.
   */
  readonly missing: readonly string[]
}

/** What is installed, table by table; empty when nothing is. */
export async function revisionsStatus(client: PgClient, options: SchemaOptions = {}): Promise<RevisionStatus[]> {
  const schema = resolveSchemaOptions('revisionsStatus()', options)
  const triggers = Map.groupBy(await installedTriggers(client, schema), ({ scope }) => scope)
  if (triggers.size === 0) return []
  const known = await lookUpKnown(client, schema, [...triggers.keys()])
  const counts = await runStatement(client, {
    // An installation of before has no `writes`: it counted in `n`.
    text: `select scope, sum(coalesce((to_jsonb(r) ->> 'writes')::float8, n)) as count, count(*)::int as rows
from ${quoteName(schema)}.tidemark_revision r group by scope`,
    values: [],
  })
  return Array.from(triggers, ([table, [first]]) => {
    const row = counts.find((it) => it['scope'] === table)
    const relations = known.find(({ scope }) => scope === table)?.relations
    return {
      table,
      mode: first?.mode ?? 'counters',
      notify: first?.notify ?? false,
      count: Number(row?.['count'] ?? 0),
      rows: Number(row?.['rows'] ?? 0),
      missing: relations?.filter((it) => it.trigger?.isEnabled !== true).map((it) => it.name) ?? [table],
    }
  })
}
