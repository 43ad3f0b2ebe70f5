// What is put into a database so that its tables tell when they change. Written for PostgreSQL 13 and later.

import { quoteName, quoteText } from '../../pg/quote.ts'

/** How the triggers of a table keep its revision. */
export type TriggerMode = 'counters' | 'snapshot'

/** Every trigger of ours begins so; the rest is a hash of our schema and the table it speaks for. */
export const TRIGGER_PREFIX = 'tidemark_revision_'

/** Commits of a table with `notify` are told here; the payload is the table. */
export const CHANNEL = 'tidemark_revision'

/** SQL for the hash that tells the triggers of different tables on one partition apart, and those of different schemas. */
export function scopeHash(schema: string, scope: string): string {
  return `left(md5(${quoteText(schema)} || ' ' || ${scope}), 16)`
}

/** SQL for what is there only when everything is made as it is made here; see {@link upgradeScript}. */
export function isCurrent(schema: string): string {
  return `to_regclass(${quoteText(`${quoteName(schema)}.tidemark_era_one`)}) is not null`
}

/** SQL for the function of the triggers. */
export function bumpFunction(schema: string): string {
  return `to_regprocedure(${quoteText(`${quoteName(schema)}.tidemark_bump()`)})`
}

/**
 * Our own tables and functions, made where they are missing.
 *
 * `tidemark_revision` holds, for each table, rows whose sum grows with each transaction that wrote it. The row is written
 * in that transaction, so the sum a reader sees is that of what it can see, whatever committed late. Nobody can say by how
 * much it grows: after a restore it would come by the sums of before again, with other data. It stays below 2⁵³ for some
 * 10¹⁰ transactions.
 *
 * No transaction ever waits for a row of ours, so none can deadlock or queue up because of them: a slot that another
 * transaction holds is passed by, and a line of one's own is written instead. Under `repeatable read` it is always a line:
 * a slot that somebody else wrote since would be a serialization failure in the application. Lines are folded into slots
 * later, by one transaction at a time.
 */
export function schemaScript(schema: string): string {
  const s = quoteName(schema)
  return `
create schema if not exists ${s};
grant usage on schema ${s} to public;
create table if not exists ${s}.tidemark_era (id uuid not null);
insert into ${s}.tidemark_era select gen_random_uuid() where not exists (select from ${s}.tidemark_era);
create table if not exists ${s}.tidemark_revision (
  scope text not null,
  slot bigint not null,
  n bigint not null,
  writes bigint not null default 0,
  primary key (scope, slot)
) with (fillfactor = 50);
grant select on ${s}.tidemark_era, ${s}.tidemark_revision to public;

create or replace function ${s}.tidemark_fold(folded text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $tidemark$
declare
  own constant bigint := pg_backend_pid() % 16;
  held bigint;
  total bigint;
  written bigint;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('${schema}.tidemark_revision ' || folded, 0)) then return; end if;
  select slot into held from ${s}.tidemark_revision
    where scope = folded and slot in (0, own) order by slot desc limit 1 for update skip locked;
  if held is null then
    -- Slots are made here only, so nobody else can be making the same one.
    if exists (select from ${s}.tidemark_revision where scope = folded and slot = own) then return; end if;
    insert into ${s}.tidemark_revision (scope, slot, n) values (folded, own, 0);
    held := own;
  end if;
  with gone as (
    delete from ${s}.tidemark_revision where scope = folded and slot in (
      select slot from ${s}.tidemark_revision where scope = folded and slot > 15 limit 1000 for update skip locked)
    returning n, writes)
  select coalesce(sum(n), 0), coalesce(sum(writes), 0) into total, written from gone;
  update ${s}.tidemark_revision set n = n + total, writes = writes + written where scope = folded and slot = held;
end $tidemark$;
revoke execute on function ${s}.tidemark_fold(text) from public;

create or replace function ${s}.tidemark_bump() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $tidemark$
declare
  is_simple constant boolean := current_setting('transaction_isolation') = 'read committed';
  own_xid constant text := pg_current_xact_id()::text;
  -- Not random(): the application may have seeded that.
  growth constant bigint := 1 + (uuid_hash(gen_random_uuid()) & 1048575);
  held bigint;
begin
  -- Once a transaction; a rollback to a savepoint takes this mark back together with the row.
  if current_setting('tidemark.t' || tg_argv[1], true) = own_xid then return null; end if;
  perform set_config('tidemark.t' || tg_argv[1], own_xid, true);
  if tg_argv[3] = 'notify' then perform pg_notify('${CHANNEL}', tg_argv[0]); end if;
  if is_simple and tg_argv[2] = 'counters' then
    select slot into held from ${s}.tidemark_revision
      where scope = tg_argv[0] and slot in (0, pg_backend_pid() % 16) order by slot desc limit 1 for update skip locked;
    if found then
      update ${s}.tidemark_revision set n = n + growth, writes = writes + 1
        where scope = tg_argv[0] and slot = held;
      return null;
    end if;
  end if;
  insert into ${s}.tidemark_revision as line (scope, slot, n, writes) values (tg_argv[0], 16 + own_xid::bigint, growth, 1)
    on conflict (scope, slot) do update set n = line.n + growth, writes = line.writes + 1;
  if is_simple and random() < 0.0625 then perform ${s}.tidemark_fold(tg_argv[0]); end if;
  return null;
end $tidemark$;
revoke execute on function ${s}.tidemark_bump() from public;`
}

/**
 * What was made before there was a count of transactions, and before an era was sure to be one. To be run after the triggers:
 * it takes a lock that writers of their tables wait for.
 */
export function upgradeScript(schema: string): string {
  const s = quoteName(schema)
  return `
do $tidemark$ begin
  if not exists (select from pg_catalog.pg_attribute
      where attrelid = ${quoteText(`${s}.tidemark_revision`)}::regclass and attname = 'writes' and not attisdropped) then
    alter table ${s}.tidemark_revision add column writes bigint not null default 0;
    update ${s}.tidemark_revision set writes = n;
  end if;
end $tidemark$;
delete from ${s}.tidemark_era where ctid <> (select ctid from ${s}.tidemark_era limit 1);
create unique index if not exists tidemark_era_one on ${s}.tidemark_era ((true));`
}

/** The trigger of one table or partition. `scope` is the table it speaks for. */
export function triggerScript(
  schema: string,
  relation: { readonly name: string; readonly isForeign: boolean },
  to: { readonly scope: string; readonly hash: string; readonly mode: TriggerMode; readonly notify: boolean },
): string {
  const trigger = quoteName(`${TRIGGER_PREFIX}${to.hash}`)
  const events = relation.isForeign ? 'insert or update or delete' : 'insert or update or delete or truncate'
  const args = [to.scope, to.hash, to.mode, to.notify ? 'notify' : ''].map(quoteText).join(', ')
  return `
drop trigger if exists ${trigger} on ${relation.name};
create trigger ${trigger} after ${events} on ${relation.name}
  for each statement execute function ${quoteName(schema)}.tidemark_bump(${args});
-- Also for a session that replays what others did (session_replication_role = replica).
alter table ${relation.name} enable always trigger ${trigger};`
}

/** Makes every revision one that was never told before. */
export function newEraScript(schema: string): string {
  return `\nupdate ${quoteName(schema)}.tidemark_era set id = gen_random_uuid();`
}

/** Tells the planner how few rows we have: otherwise it goes to an index for them, which takes longer than the rest of a gate. */
export function analyzeScript(schema: string): string {
  const s = quoteName(schema)
  return `\nanalyze ${s}.tidemark_revision, ${s}.tidemark_era;`
}

/** Takes our schema away, for when no table needs it any more. What else lies in it keeps it, and what uses ours keeps that. */
export function dropScript(schema: string): string {
  const s = quoteName(schema)
  // All of it or nothing: a trigger of somebody else's that goes on calling our function needs the rest.
  return `
do $tidemark$ begin
  drop function if exists ${s}.tidemark_bump();
  drop function if exists ${s}.tidemark_fold(text);
  drop table if exists ${s}.tidemark_revision, ${s}.tidemark_era;
exception when dependent_objects_still_exist then null;
end $tidemark$;
do $tidemark$ begin
  drop schema if exists ${s} restrict;
exception when dependent_objects_still_exist then null;
end $tidemark$;`
}
