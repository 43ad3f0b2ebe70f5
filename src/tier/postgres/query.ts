// The SQL of this tier, for one schema.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { quoteName } from '../../pg/quote.ts'

/** One statement; a connection plans it once. */
export interface Query {
  /** What it does, for messages. */
  readonly what: string
  readonly name: string
  readonly text: string
}

/** Everything that is asked of the tables. */
export interface Queries {
  readonly schema: string
  readonly open: Query
  readonly read: Query
  readonly put: Query
  readonly remove: Query
  readonly claim: Query
  readonly release: Query
  readonly look: Query
  readonly list: Query
  readonly count: Query
  readonly sweep: Query
  readonly sweepCleared: Query
  readonly makeRoom: Query
  readonly discard: Query
}

/** What our SQL calls the schema. */
const SCHEMA = 'tidemark_cache'

/** The names in our tables that are not cleared and that a target is about: `$1` and `$2`. */
const LIVE_ENTRIES = `tidemark_cache.entries e join tidemark_cache.names n on n.id = e.name_id and not n.dropped
  where ($1::text is null or n.label = $1)
    and case $2::text when 'key' then e.kh = $3::bigint and e.field = $4::text when 'group' then e.groups @> array[$4::text] else true end`

/** The statements of one schema. */
export function queriesOf(schema: string): Queries {
  const query = (what: string, text: string): Query => {
    const own = inSchema(text, schema)
    return { what, name: `tidemark_${createHash('sha256').update(own).digest('hex').slice(0, 16)}`, text: own }
  }
  return {
    schema,
    open: query('open', 'select * from tidemark_cache.open()'),
    // One row at least, so that another life shows.
    read: query(
      'get',
      `select n.name, e.field, e.stale_at, e.stale_again, e.frame from tidemark_cache.place p
       left join (tidemark_cache.entries e join tidemark_cache.names n on n.id = e.name_id and not n.dropped)
         on e.kh = any($2::bigint[])
       where p.life::text || '@' || extract(epoch from pg_postmaster_start_time())::text = $1::text`,
    ),
    put: query(
      'put',
      `select * from tidemark_cache.put($1::text, $2::float8, $3::int[], $4::boolean[], $5::text, $6::bigint, $7::boolean,
       $8::int[], $9::float8, $10::bigint[], $11::text[], $12::text[], $13::text[], $14::text[], $15::float8[], $16::float8[],
       $17::float8[], $18::int[], $19::int[], $20::int[], $21::bytea)`,
    ),
    remove: query(
      'remove',
      `select * from tidemark_cache.remove($1::text, $2::float8, $3::int, $4::text, $5::bigint, $6::text, $7::bigint,
       $8::text, $9::text, $10::float8, $11::float8)`,
    ),
    claim: query(
      'claim',
      `select * from tidemark_cache.claim($1::text, $2::float8, $3::int, $4::text, $5::bigint, $6::bigint, $7::text, $8::float8)`,
    ),
    release: query('release', 'delete from tidemark_cache.claims where kh = $1::bigint and owner = $2::text'),
    look: query(
      'check',
      `select l.life, tidemark_cache.now_ms() as server_ms, m.seq, c.others, c.own, c.is_complete from (select tidemark_cache.life() as life) l,
       (select max(seq) as seq from tidemark_cache.changes) m, tidemark_cache.changed($1::text, $2::bigint, m.seq) c`,
    ),
    list: query(
      'keys',
      `select e.kh::text as hash, n.name, e.field, e.stale_at, e.stale_again, octet_length(e.frame) as bytes,
         substring(e.frame from 1 for e.value_at) as head
       from ${LIVE_ENTRIES} and e.keep_until > $5::float8 and e.kh > $6::bigint order by e.kh limit $7::int`,
    ),
    count: query('count', `select count(*) as entries from ${LIVE_ENTRIES} and e.keep_until > $5::float8`),
    sweep: query(
      'sweep',
      `with slice as materialized (
         select kh, keep_until from tidemark_cache.entries where kh > $1::bigint order by kh limit $2::int
       ), chosen as materialized (
         select e.kh from tidemark_cache.entries e join slice on slice.kh = e.kh
         where slice.keep_until <= $3::float8 and e.keep_until <= $3 limit $4::int for update of e skip locked
       ), gone as (
         delete from tidemark_cache.entries e using chosen where e.kh = chosen.kh returning e.name_id
       ), idle as (
         delete from tidemark_cache.claims where kh in (
           select kh from tidemark_cache.claims where until < tidemark_cache.now_ms() - 3600000 limit 100 for update skip locked
         )
       ), counted as (
         select n.name, count(*) as entries from gone join tidemark_cache.names n on n.id = gone.name_id group by n.name
       ) select (select max(kh)::text from slice) as last, (select count(*) from slice) as looked,
         (select count(*) from gone) as dropped, (select json_object_agg(name, entries)::text from counted) as evicted`,
    ),
    // The row of the name goes when none of its entries is left.
    sweepCleared: query(
      'sweep',
      `with cleared as materialized (
         select id from tidemark_cache.names where dropped limit 1
       ), chosen as materialized (
         select kh from tidemark_cache.entries where name_id in (select id from cleared) limit $1::int for update skip locked
       ), gone as (
         delete from tidemark_cache.entries e using chosen where e.kh = chosen.kh returning 1
       ), unnamed as (
         delete from tidemark_cache.names n using cleared where n.id = cleared.id
           and not exists (select from tidemark_cache.entries e where e.name_id = n.id)
       ) select (select count(*) from gone) as dropped`,
    ),
    makeRoom: query(
      'make room',
      'select * from tidemark_cache.make_room($1::float8, $2::float8, $3::bigint[], $4::int)',
    ),
    // Not what was put in its place meanwhile.
    discard: query(
      'discard damaged entry',
      'delete from tidemark_cache.entries where kh = $1::bigint and md5(frame) = $2::text',
    ),
  }
}

/** The version of the tables this code reads and writes: so many steps there are. */
export const LAYOUT_VERSION = 1

/**
 * Makes what is missing, in one transaction. Each step takes the tables from the version before it to its own; a released one
 * never changes. The functions are those of this version, made again with each new step.
 */
export function layoutScript(schema: string): string {
  const steps = Array.from({ length: LAYOUT_VERSION }, (_, i) => stepScript(i + 1))
  return inSchema([PROLOGUE, ...steps].join('\n'), schema)
}

/**
 * Processes that open for the first time together make it one after the other. Opening a table after the wait makes this
 * session see what another one made; its caches would say that it is not there.
 */
const PROLOGUE = `
set local lock_timeout = '10s';
select pg_advisory_xact_lock(hashtextextended('tidemark_cache layout', 0));
select from pg_catalog.pg_namespace limit 0;
do $tidemark_step$
begin
  create schema if not exists "tidemark_cache";
exception when insufficient_privilege then
  -- One that is there already will do.
  if to_regnamespace('tidemark_cache') is null then raise; end if;
end $tidemark_step$;
do $tidemark_step$
begin
  if to_regclass('tidemark_cache.layout') is null and to_regclass('tidemark_cache.entries') is not null then
    raise exception 'the schema tidemark_cache is in use' using errcode = 'TM004';
  end if;
end $tidemark_step$;`

function stepScript(version: number): string {
  return `
do $tidemark_step$
declare
  found int := 0;
begin
  if to_regclass('tidemark_cache.layout') is not null then
    execute 'select coalesce(max(version), 0) from tidemark_cache.layout' into found;
  end if;
  if found < ${version} then
    execute $tidemark_sql$${read(`layout-${version}`)}
${read(`functions-${version}`)}
insert into tidemark_cache.layout values (${version});$tidemark_sql$;
  end if;
end $tidemark_step$;`
}

function inSchema(text: string, schema: string): string {
  return text.replaceAll(SCHEMA, (_, at: number) => (text[at + SCHEMA.length] === '.' ? quoteName(schema) : schema))
}

function read(name: string): string {
  return readFileSync(new URL(`./sql/${name}.sql`, import.meta.url), 'utf8')
}
