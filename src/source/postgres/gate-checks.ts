// What the gate asks a few times a second only: whether its tables are still those it was put together for, and watched.

import { quoteName, quoteText } from '../../pg/quote.ts'
import type { Found, TrackedTable } from './relation.ts'
import { TRIGGER_PREFIX, bumpFunction } from './schema.ts'

/**
 * SQL for how many names stand for another table by now: one was renamed, its schema was, or the search path leads elsewhere.
 */
export function strayNames(tables: readonly TrackedTable[]): string {
  const rows = tables.map(
    ({ given, scope, relations: [root] }) => `(${quoteText(given)}, ${root?.oid}::oid, ${quoteText(scope)})`,
  )
  return `(select count(*) from (values ${rows.join(', ')}) v (given, oid, scope)
    left join pg_catalog.pg_class c on c.oid = to_regclass(v.given)
    left join pg_catalog.pg_namespace s on s.oid = c.relnamespace
    where c.oid is distinct from v.oid or quote_ident(s.nspname) || '.' || quote_ident(c.relname) <> v.scope)`
}

/** SQL for how many triggers are less than there were: without them a revision would stand still for ever. */
export function missingTriggers(schema: string, tables: readonly TrackedTable[]): string {
  const oids = tables.flatMap(({ relations }) => relations.filter((it) => it.trigger?.isEnabled).map(({ oid }) => oid))
  return `${oids.length} - (select count(*) from pg_catalog.pg_trigger
    where tgrelid in (${oids.join(', ')}) and tgname in (${namesOf(tables)}) and tgenabled in ('O', 'A')
      and tgfoid = ${bumpFunction(schema)})`
}

/** SQL for 0 while exactly the same partitions and children belong to the tables. */
export function strayMembers(tables: readonly TrackedTable[]): string {
  const roots = tables.map(({ relations: [root] }) => `${root?.oid}::oid`)
  const known = new Set(tables.flatMap(({ relations }) => relations.map(({ oid }) => BigInt(oid))))
  const sum = [...known].reduce((all, oid) => all + oid, 0n)
  return `(with recursive member (oid) as (
      select unnest(array[${roots.join(', ')}])
      union
      select i.inhrelid from member m join pg_catalog.pg_inherits i on i.inhparent = m.oid
    ) select case when count(*) = ${known.size} and sum(oid::bigint) = ${sum} then 0 else 1 end from member)`
}

/**
 * SQL for a fingerprint of the tables themselves. It moves with what changes them without a statement trigger that fires:
 * columns that are made, dropped, renamed or of another type, a table put in the place of another, triggers that were off for
 * a moment. Neither writes nor vacuum, analyze and indexes move it: those leave `xmin` alone.
 */
export function makeOf(tables: readonly TrackedTable[]): string {
  const oids = [...new Set(tables.flatMap(({ relations }) => relations.map(({ oid }) => oid)))]
  const roots = tables.map(({ relations: [root] }) => root?.oid)
  return `concat_ws('/',
    (select md5(string_agg(concat_ws(',', c.oid, c.xmin, c.relfilenode, g.oid, g.xmin), ';' order by c.oid, g.oid))
      from pg_catalog.pg_class c
      left join pg_catalog.pg_trigger g on g.tgrelid = c.oid and g.tgname in (${namesOf(tables)})
      where c.oid in (${oids.join(', ')})),
    (select count(*) || '-' || sum(xmin::text::bigint) from pg_catalog.pg_attribute where attrelid in (${roots.join(', ')})))`
}

/** SQL for which server this is, and which of its timelines: they differ after a restore that nobody told us of. */
export function controlOf({ maySeeControl }: Found): string {
  if (!maySeeControl) return "''"
  return `concat_ws(':', (select system_identifier from pg_control_system()), (select timeline_id from pg_control_checkpoint()))`
}

/** SQL for which life of the data this is: a row that `install` and `renew` make anew, and the number of our own table. */
export function eraOf(schema: string): string {
  const s = quoteName(schema)
  return `concat_ws(':', (select id from ${s}.tidemark_era), ${quoteText(`${s}.tidemark_revision`)}::regclass::oid)`
}

function namesOf(tables: readonly TrackedTable[]): string {
  return tables.map(({ hash }) => quoteText(`${TRIGGER_PREFIX}${hash}`)).join(', ')
}
