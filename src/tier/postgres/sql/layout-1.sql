-- Version 1 of the tables. `tidemark_cache` stands for the schema, whatever it is called.
--
-- All that is UNLOGGED is emptied together when PostgreSQL crashes. Nothing here relies on it: an empty `place` says that
-- another life begins.

-- Which version of these tables this is. Logged, because the tables outlive a crash and their rows do not.
create table tidemark_cache.layout (version int not null);

-- One row: which life of the data this is, and of which server's which table it was said. A dump that is restored, or
-- another server, brings an identity that does not fit any more.
create unlogged table tidemark_cache.place (life uuid not null, identity text not null);

-- A name that is cleared is marked and gets another number when it is used again, so a clear takes one row's write however
-- many entries there are; the sweeper takes the rows out later.
create unlogged table tidemark_cache.names (
  id int generated always as identity primary key,
  label text not null,
  name text not null,
  dropped boolean not null default false
);
create unique index names_live on tidemark_cache.names (label) where not dropped;

-- `kh` is a hash of name and key; `field` is compared on every read, and the frame says the whole of a long key. All times
-- are whole milliseconds since 1970; doubles hold them exactly, and every client reads them as numbers. `fresh_until` and
-- `loaded_at` are as they were put, `keep_until` as it is now. An invalidation writes `stale_at`, twice: two that differ show
-- damage. There is no index on time: it would cost every write, and a sweep walks the table in slices anyway.
create unlogged table tidemark_cache.entries (
  kh bigint primary key,
  name_id int not null,
  field text not null,
  groups text[],
  born float8 not null,
  loaded_at float8 not null,
  fresh_until float8 not null,
  keep_until float8 not null,
  stale_at float8,
  stale_again float8,
  visited boolean not null default false,
  value_at int not null,
  frame bytea not null
) with (fillfactor = 90);
-- Values are compressed by the cache, or not at all.
alter table tidemark_cache.entries alter frame set storage external;
create index entries_name on tidemark_cache.entries (name_id, kh);
create index entries_born on tidemark_cache.entries (born);
create index entries_groups on tidemark_cache.entries using gin (groups) with (fastupdate = off);

-- The change sequence: one row for each transaction that set or removed, with the slots it touched. Never empty.
create unlogged table tidemark_cache.changes (seq bigint primary key, origin text not null, slots int[] not null);

-- Who loads what, and until when by the server's clock.
create unlogged table tidemark_cache.claims (kh bigint primary key, owner text not null, until float8 not null);
