-- What writes. Each of these is one transaction: it locks slots, looks whether it may, does its work, and adds its row to the
-- change sequence.
--
-- Locks are advisory ones on slots. Who changes something has its slot alone; who stores under a lease shares the slots its
-- lease must hold for, so no change can come between the look and the store. Locks are taken in the order of their numbers,
-- rows in the order of `kh`, and the sequence last and shortly: so nobody waits in a circle. Every statement of these
-- functions must see what was committed before it began, which is what `read committed` means.

-- The life of the data as processes know it: it also ends for them when the server starts anew, and they look again.
create or replace function tidemark_cache.life() returns text language sql stable as $$
  select life::text || '@' || extract(epoch from pg_postmaster_start_time())::text from tidemark_cache.place
$$;

create or replace function tidemark_cache.now_ms() returns float8 language sql volatile as $$
  select extract(epoch from clock_timestamp())::float8 * 1000
$$;

-- Numbers that stand for other things than slots.
--   -1 the change sequence, -2 making room, -3 the beginning of a life
create or replace function tidemark_cache.lock_class() returns int language sql stable as $$
  select 'tidemark_cache.entries'::regclass::oid::int
$$;

create or replace function tidemark_cache.refuse_snapshots() returns void language plpgsql as $$
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'the connection is in a transaction under %', current_setting('transaction_isolation')
      using errcode = 'TM002';
  end if;
end $$;

-- Locks slots, in the order given: alone or shared with others. Answers 'ok', 'gone' when it is another life, or 'late'
-- when whoever asked has gone on and may have changed the same entries again.
create or replace function tidemark_cache.admit(known_life text, deadline float8, slots int[], alone boolean[])
returns text language plpgsql as $$
declare
  class constant int := tidemark_cache.lock_class();
begin
  perform tidemark_cache.refuse_snapshots();
  perform set_config('lock_timeout', least(greatest(deadline - tidemark_cache.now_ms(), 1), 2147483647)::int::text, true);
  perform case when it.alone then pg_advisory_xact_lock(class, it.slot) else pg_advisory_xact_lock_shared(class, it.slot) end
    from unnest(slots, alone) as it (slot, alone);
  if tidemark_cache.life() is distinct from known_life then return 'gone'; end if;
  if tidemark_cache.now_ms() > deadline then return 'late'; end if;
  return 'ok';
end $$;

-- Advances the change sequence and tells whoever listens. Whoever gets a number holds the lock until it has committed, so
-- numbers are seen in their order, without gaps.
create or replace function tidemark_cache.change(writer text, touched int[]) returns bigint language plpgsql as $$
declare
  made bigint;
begin
  perform pg_advisory_xact_lock(tidemark_cache.lock_class(), -1);
  select max(seq) + 1 into made from tidemark_cache.changes;
  if made is null then raise exception 'the change sequence is gone' using errcode = 'TM001'; end if;
  insert into tidemark_cache.changes values (made, writer, touched);
  -- Between two limits: what was deleted before may still lie there.
  if made % 256 = 0 then delete from tidemark_cache.changes where seq > made - 5120 and seq <= made - 4096; end if;
  perform pg_notify('tidemark_cache', writer || ' ' || tidemark_cache.life());
  return made;
end $$;

-- What changed after a sequence, by others and by `writer` itself: `seq:slot` for each. `is_complete`: nothing is missing.
create or replace function tidemark_cache.changed(writer text, after bigint, upto bigint,
  out others text, out own text, out is_complete boolean)
language plpgsql stable as $$
begin
  is_complete := upto - after <= 1024;
  if not is_complete or upto = after then return; end if;
  select string_agg(seq || ':' || slot, ',') filter (where origin <> writer),
      string_agg(seq || ':' || slot, ',') filter (where origin = writer), count(distinct seq) = upto - after
    into others, own, is_complete
    from tidemark_cache.changes, unnest(slots) as slot where seq > after and seq <= upto;
end $$;

-- Stores entries that were set, or under a lease one that was loaded. `known` is the sequence up to which whoever holds the
-- lease has looked itself; `touched` are the slots of the keys of a set, or those the lease must hold for. A stored entry
-- that says it was loaded after `trusted_until` is not believed. `starts` and `sizes` say where each frame lies in `frames`.
-- Answers 'ok', 'refused', 'gone' or 'late', and what changed since `known`, up to which sequence.
create or replace function tidemark_cache.put(known_life text, deadline float8, lock_slots int[], lock_alone boolean[],
  writer text, known bigint, is_set boolean, touched int[], trusted_until float8,
  hashes bigint[], labels text[], texts text[], fields text[], groupings text[], loaded float8[], fresh float8[], keep float8[],
  value_starts int[], starts int[], sizes int[], frames bytea,
  out state text, out server_ms float8, out seq bigint, out others text, out own text, out is_complete boolean)
language plpgsql as $$
declare
  newest bigint;
  stored int;
begin
  state := tidemark_cache.admit(known_life, deadline, lock_slots, lock_alone);
  server_ms := tidemark_cache.now_ms();
  if state <> 'ok' then return; end if;
  if not is_set then
    select max(it.seq) into newest from tidemark_cache.changes it;
    if newest is null or newest < known then
      state := 'gone';
      return;
    end if;
    if newest > known then
      -- Told in any case: who lags behind is refused once, not until the next look.
      seq := newest;
      select it.others, it.own, it.is_complete into others, own, is_complete
        from tidemark_cache.changed(writer, known, newest) it;
      if not is_complete
          or exists (select from tidemark_cache.changes it where it.seq > known and it.slots && touched) then
        state := 'refused';
        return;
      end if;
    end if;
  end if;

  insert into tidemark_cache.names (label, name)
    select distinct it.label, it.name from unnest(labels, texts) as it (label, name)
    where not exists (select from tidemark_cache.names n where n.label = it.label and not n.dropped)
    order by 1 on conflict do nothing;
  -- A row of another key with the same hash stays; the newcomer is then not cached.
  insert into tidemark_cache.entries as e (kh, name_id, field, groups, born, loaded_at, fresh_until, keep_until, value_at, frame)
    select it.kh, n.id, it.field, it.grouping::text[], server_ms, it.loaded, it.fresh, it.keep, it.value_at,
      substring(frames from it.start for it.size)
    from unnest(hashes, labels, fields, groupings, loaded, fresh, keep, value_starts, starts, sizes)
      as it (kh, label, field, "grouping", loaded, fresh, keep, value_at, start, size)
    join tidemark_cache.names n on n.label = it.label and not n.dropped
    order by it.kh
    on conflict (kh) do update set name_id = excluded.name_id, field = excluded.field, groups = excluded.groups,
      loaded_at = excluded.loaded_at, fresh_until = excluded.fresh_until, keep_until = excluded.keep_until,
      stale_at = null, stale_again = null, value_at = excluded.value_at, frame = excluded.frame
    where case
      when e.name_id <> excluded.name_id
        then not exists (select from tidemark_cache.names n where n.id = e.name_id and not n.dropped)
      else e.field = excluded.field
        and (is_set or excluded.loaded_at >= e.loaded_at or e.loaded_at > trusted_until)
    end;
  get diagnostics stored = row_count;
  if not is_set then
    if stored = 0 then state := 'refused'; end if;
    return;
  end if;
  seq := tidemark_cache.change(writer, touched);
  select it.others, it.own, it.is_complete into others, own, is_complete
    from tidemark_cache.changed(writer, known, seq) it;
end $$;

-- Removes, or marks stale from `stale_from`, what `kind` and the three after it say: 'key', 'group' (of one name, or of all),
-- 'name' or 'all'. Answers as a set does, and how many live entries it touched; of a large name no more than 20 000 are
-- counted.
create or replace function tidemark_cache.remove(known_life text, deadline float8, slot int, writer text, known bigint,
  kind text, hash bigint, of_label text, what text, host_now float8, stale_from float8,
  out state text, out server_ms float8, out seq bigint, out others text, out own text, out is_complete boolean, out touched bigint)
language plpgsql as $$
declare
  -- Marking more than this would hold others up: it is cleared instead.
  marked_max constant int := 10000;
  counted_max constant int := 20000;
  of_names int[];
begin
  state := tidemark_cache.admit(known_life, deadline, array[slot], array[true]);
  server_ms := tidemark_cache.now_ms();
  if state <> 'ok' then return; end if;
  -- Whoever loads what is removed loads in vain, so nobody should wait for it; a claim too many released costs a load.
  if kind = 'key' then delete from tidemark_cache.claims where kh = hash;
  else delete from tidemark_cache.claims where kh in (select kh from tidemark_cache.claims for update skip locked);
  end if;

  select array_agg(id) into of_names from tidemark_cache.names
    where not dropped and (of_label is null or label = of_label);
  if kind in ('name', 'all') and (stale_from is null or marked_max < (
    select count(*) from (select from tidemark_cache.entries where name_id = any(of_names) limit marked_max + 1) it
  )) then
    select count(*) into touched from (
      select from tidemark_cache.entries where name_id = any(of_names) and keep_until > host_now limit counted_max
    ) it;
    update tidemark_cache.names set dropped = true where id = any(of_names);
  elsif stale_from is null then
    with chosen as materialized (
      select kh from tidemark_cache.entries where name_id = any(of_names)
        and case kind when 'key' then kh = hash and field = what else groups @> array[what] end
        order by kh for update
    ), gone as (
      delete from tidemark_cache.entries e using chosen where e.kh = chosen.kh returning e.keep_until
    ) select count(*) filter (where keep_until > host_now) into touched from gone;
  else
    with chosen as materialized (
      select kh from tidemark_cache.entries where name_id = any(of_names) and keep_until > host_now
        and fresh_until > stale_from and (stale_at is null or stale_at > stale_from)
        and case kind when 'key' then kh = hash and field = what when 'group' then groups @> array[what] else true end
        order by kh for update
    ), marked as (
      update tidemark_cache.entries e set stale_at = stale_from, stale_again = stale_from,
        keep_until = keep_until - (coalesce(stale_at, fresh_until) - stale_from)
      from chosen where e.kh = chosen.kh returning 1
    ) select count(*) into touched from marked;
  end if;
  seq := tidemark_cache.change(writer, array[slot]);
  select it.others, it.own, it.is_complete into others, own, is_complete
    from tidemark_cache.changed(writer, known, seq) it;
end $$;

-- Takes or renews the right to load a key, for so many milliseconds of the server's clock. Who takes over what somebody let
-- run out moves the slot, because the holder may still come, late: its lease no longer holds.
create or replace function tidemark_cache.claim(known_life text, deadline float8, slot int, writer text, known bigint,
  hash bigint, claimant text, for_ms float8,
  out state text, out server_ms float8, out seq bigint, out others text, out own text, out is_complete boolean, out is_held boolean)
language plpgsql as $$
declare
  holder record;
begin
  state := tidemark_cache.admit(known_life, deadline, array[slot], array[true]);
  server_ms := tidemark_cache.now_ms();
  if state <> 'ok' then return; end if;
  select * into holder from tidemark_cache.claims where kh = hash;
  is_held := holder.owner is null or holder.owner = claimant or holder.until <= server_ms;
  if not is_held then return; end if;
  insert into tidemark_cache.claims values (hash, claimant, server_ms + for_ms)
    on conflict (kh) do update set owner = excluded.owner, until = excluded.until;
  if holder.owner <> claimant then
    seq := tidemark_cache.change(writer, array[slot]);
    select it.others, it.own, it.is_complete into others, own, is_complete
      from tidemark_cache.changed(writer, known, seq) it;
  end if;
end $$;

-- Keeps within limits: what was cleared leaves, then the oldest entries, but one that was read since gets a second round.
-- One process at a time; rows that are in use are passed by. Answers how many left, by name, and whether it is still too
-- much.
create or replace function tidemark_cache.make_room(max_entries float8, max_bytes float8, read_since bigint[], at_most int,
  out evicted text, out is_over boolean)
language plpgsql as $$
declare
  -- No row is smaller.
  row_bytes constant int := 100;
  -- How much room all rows take up: an upper bound that costs nothing to ask for.
  room_taken constant bigint := pg_table_size('tidemark_cache.entries');
  now constant float8 := tidemark_cache.now_ms();
  entry_count float8;
  byte_count float8;
  dropped_count float8;
  dropped_bytes float8;
begin
  perform tidemark_cache.refuse_snapshots();
  is_over := false;
  if not pg_try_advisory_xact_lock(tidemark_cache.lock_class(), -2) then return; end if;
  update tidemark_cache.entries set visited = true where kh in (
    select kh from tidemark_cache.entries where kh = any(read_since) and not visited for update skip locked
  );
  if room_taken < max_bytes and room_taken / row_bytes < max_entries then return; end if;
  select count(*), coalesce(sum(octet_length(frame) - value_at), 0) into entry_count, byte_count
    from tidemark_cache.entries;
  if entry_count <= max_entries and byte_count <= max_bytes then return; end if;

  with chosen as materialized (
    select kh from tidemark_cache.entries where name_id in (select id from tidemark_cache.names where dropped)
      limit at_most for update skip locked
  ), gone as (
    delete from tidemark_cache.entries e using chosen where e.kh = chosen.kh returning octet_length(frame) - value_at as bytes
  ) select count(*), coalesce(sum(bytes), 0) into dropped_count, dropped_bytes from gone;
  entry_count := entry_count - dropped_count;
  byte_count := byte_count - dropped_bytes;

  with oldest as materialized (
    select kh, born, visited, octet_length(frame) - value_at as bytes from tidemark_cache.entries
      order by born limit at_most for update skip locked
  ), ranked as (
    select kh, visited, count(*) filter (where not visited) over before as entries_before,
      coalesce(sum(bytes) filter (where not visited) over before, 0) as bytes_before
    from oldest window before as (order by born, kh rows between unbounded preceding and 1 preceding)
  ), chosen as (
    select * from ranked
    where entries_before < entry_count - max_entries or bytes_before < byte_count - max_bytes
  ), again as (
    update tidemark_cache.entries e set born = now, visited = false from chosen where e.kh = chosen.kh and chosen.visited
  ), gone as (
    delete from tidemark_cache.entries e using chosen where e.kh = chosen.kh and not chosen.visited
      returning e.name_id, octet_length(frame) - value_at as bytes
  ), counted as (
    select n.name, count(*) as entries, sum(g.bytes) as bytes from gone g join tidemark_cache.names n on n.id = g.name_id
      group by n.name
  ) select json_object_agg(name, entries)::text, entry_count - coalesce(sum(entries), 0) > max_entries
      or byte_count - coalesce(sum(bytes), 0) > max_bytes into evicted, is_over from counted;
end $$;

-- Finds the life of the data, or begins one: after a crash of the server, which empties these tables, and when they came from
-- a dump or another server, which may bring back what was removed since.
create or replace function tidemark_cache.open(out version int, out encoding text, out known_life text, out seq bigint,
  out server_ms float8)
language plpgsql as $$
declare
  identity_now text := 'tidemark_cache.entries'::regclass::oid::text;
begin
  perform tidemark_cache.refuse_snapshots();
  select max(it.version) into version from tidemark_cache.layout it;
  encoding := current_setting('server_encoding');
  if has_function_privilege('pg_control_system()', 'execute') then
    identity_now := identity_now || ' ' || (select system_identifier from pg_control_system());
  end if;
  select max(it.seq) into seq from tidemark_cache.changes it;
  if seq is null or not exists (select from tidemark_cache.place where identity = identity_now) then
    perform pg_advisory_xact_lock(tidemark_cache.lock_class(), -3);
    select max(it.seq) into seq from tidemark_cache.changes it;
    if seq is null or not exists (select from tidemark_cache.place where identity = identity_now) then
      -- After whoever stores now.
      perform pg_advisory_xact_lock(tidemark_cache.lock_class(), 0);
      update tidemark_cache.names set dropped = true where not dropped;
      delete from tidemark_cache.claims;
      delete from tidemark_cache.changes;
      delete from tidemark_cache.place;
      insert into tidemark_cache.changes values (0, '', '{}');
      insert into tidemark_cache.place values (gen_random_uuid(), identity_now);
      seq := 0;
    end if;
  end if;
  known_life := tidemark_cache.life();
  server_ms := tidemark_cache.now_ms();
end $$;
