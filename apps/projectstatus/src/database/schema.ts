import type { Migration } from '@tidemark/database'

/** The steps of the schema. A step that was released is never changed. */
export const MIGRATIONS: readonly Migration[] = [
  {
    title: 'vendors, work items and deployments',
    statements: [
      `create table vendor_extractors (
         id uuid primary key default gen_random_uuid(),
         version int not null default 1 check (version > 0),
         name varchar(100) not null check (name <> ''),
         status text not null check (status in ('operational', 'broken')),
         extractor_version varchar(50) not null,
         metadata jsonb not null default '{}',
         created_at timestamptz not null default now(),
         updated_at timestamptz not null default now(),
         created_by varchar(100) not null
       )`,
      'create unique index vendor_extractors_name on vendor_extractors (lower(name))',
      `create table work_items (
         id uuid primary key default gen_random_uuid(),
         version int not null default 1 check (version > 0),
         title varchar(200) not null check (title <> ''),
         description text,
         notes text,
         item_type text not null check (item_type in ('project', 'session', 'task', 'research')),
         status text not null default 'active' check (status in ('active', 'completed', 'blocked')),
         parent_id uuid references work_items (id),
         path text not null,
         depth int not null default 0 check (depth between 0 and 5),
         branch_name varchar(250),
         commit_hash char(40) check (commit_hash ~ '^[0-9a-f]{40}$'),
         pr_number int check (pr_number > 0),
         metadata jsonb not null default '{}',
         deleted_at timestamptz,
         created_at timestamptz not null default now(),
         updated_at timestamptz not null default now(),
         created_by varchar(100) not null
       )`,
      'create index work_items_live on work_items (created_at desc, id) where deleted_at is null',
      `create table deployment_events (
         id uuid primary key default gen_random_uuid(),
         deployed_at timestamptz not null,
         pr_number int not null check (pr_number > 0),
         pr_title varchar(200) not null,
         commit_hash char(40) not null check (commit_hash ~ '^[0-9a-f]{40}$'),
         duration_seconds numeric(10, 3) not null,
         artifact_bytes bigint not null,
         metadata jsonb not null default '{}',
         created_at timestamptz not null default now(),
         created_by varchar(100) not null
       )`,
      'create index deployment_events_time on deployment_events (deployed_at desc, id)',
    ],
  },
  {
    title: 'vendors are found by their names under every locale',
    statements: ['create unique index vendor_extractors_key on vendor_extractors (lower(name collate "C"))'],
  },
]
