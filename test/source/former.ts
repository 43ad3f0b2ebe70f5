// What earlier versions put into databases, for tests of what is made of it today.

/** The script of an installation as it was before counts grew by amounts nobody can say; its era is there twice. */
export function formerInstallation(schema: string, scopes: readonly string[]): string {
  const triggers = scopes.map(
    (scope) => `
insert into ${schema}.tidemark_revision values ('${scope}', 0, 0);
do $$ declare hash constant text := left(md5('${scope}'), 8); begin
  execute format('create trigger tidemark_revision_%s after insert or update or delete or truncate on ${scope}
    for each statement execute function ${schema}.tidemark_bump(%L, %L, %L, %L)', hash, '${scope}', hash, 'counters', '');
  execute format('alter table ${scope} enable always trigger tidemark_revision_%s', hash);
end $$;`,
  )
  return `
create schema ${schema};
create table ${schema}.tidemark_era (id uuid not null);
insert into ${schema}.tidemark_era select gen_random_uuid() from generate_series(1, 2);
create table ${schema}.tidemark_revision (
  scope text not null, slot bigint not null, n bigint not null, primary key (scope, slot)) with (fillfactor = 50);
create function ${schema}.tidemark_fold(folded text) returns void language plpgsql as $$ begin end $$;
create function ${schema}.tidemark_bump() returns trigger language plpgsql as $$ begin
  if current_setting('tidemark.t' || tg_argv[1], true) = '1' then return null; end if;
  perform set_config('tidemark.t' || tg_argv[1], '1', true);
  update ${schema}.tidemark_revision set n = n + 1 where scope = tg_argv[0] and slot = 0;
  return null;
end $$;${triggers.join('')}`
}
