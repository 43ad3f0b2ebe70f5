import type { Migration } from '@tidemark/database'
import { VALUES } from './tables.ts'

const STAMPS = `id uuid primary key default gen_random_uuid(),
  created_at timestamptz not null default now(), updated_at timestamptz not null default now()`

function oneOf(column: string, values: readonly string[], fallback?: string): string {
  const list = values.map((it) => `'${it}'`).join(', ')
  return `${column} text not null ${fallback === undefined ? '' : `default '${fallback}'`} check (${column} in (${list}))`
}

/** The schema, step by step. */
export const MIGRATIONS: readonly Migration[] = [
  {
    title: 'the tables of the hub',
    statements: [
      `create table domains (${STAMPS}, slug text not null unique, name text not null, description text,
        ${oneOf('status', VALUES.topicStatus, 'active')})`,
      `create table topics (${STAMPS}, slug text not null unique, title text not null,
        ${oneOf('status', VALUES.topicStatus, 'active')}, domain_id uuid references domains on delete set null)`,
      `create table managed_repos (${STAMPS}, domain_id uuid references domains on delete set null,
        slug text not null unique, name text not null, remote_url text, last_state_synced_at timestamptz)`,
      `create table workplans (${STAMPS}, topic_id uuid not null references topics on delete cascade,
        repo_id uuid references managed_repos on delete set null, slug text not null, title text not null,
        ${oneOf('status', VALUES.workplanStatus, 'proposed')}, owner text, due_date date,
        planning_priority text check (planning_priority in ('critical', 'high', 'medium', 'low')), planning_order int)`,
      `create table tasks (${STAMPS}, workplan_id uuid not null references workplans on delete cascade,
        title text not null, ${oneOf('status', VALUES.taskStatus, 'todo')},
        ${oneOf('priority', VALUES.priority, 'medium')}, assignee text, due_date date, blocking_reason text,
        needs_human boolean not null default false, intervention_note text)`,
      `create table decisions (${STAMPS}, topic_id uuid references topics on delete cascade,
        workplan_id uuid references workplans on delete cascade, title text not null,
        ${oneOf('type', VALUES.decisionType, 'pending')}, ${oneOf('status', VALUES.decisionStatus, 'open')},
        rationale text, decided_by text, deadline date)`,
      `create table workplan_dependencies (${STAMPS}, from_id uuid not null references workplans on delete cascade,
        to_id uuid not null references workplans on delete cascade, unique (from_id, to_id), check (from_id <> to_id))`,
      `create table contributions (${STAMPS}, ${oneOf('type', VALUES.contributionType)}, status text not null,
        topic_id uuid references topics on delete cascade, title text not null, submitted_at timestamptz)`,
      `create table capability_requests (${STAMPS}, requesting_domain_id uuid not null references domains on delete cascade,
        fulfilling_domain_id uuid references domains on delete set null, title text not null,
        ${oneOf('status', VALUES.requestStatus, 'requested')}, blocking_task_id uuid references tasks on delete set null)`,
      `create table extension_points (${STAMPS}, ep_id text not null unique, domain_id uuid references domains on delete set null,
        title text not null, ep_type text not null, status text not null, priority text not null, location text)`,
      `create table technical_debt (${STAMPS}, td_id text not null unique, domain_id uuid references domains on delete set null,
        title text not null, debt_type text not null, severity text not null, status text not null)`,
      `create table sbom_snapshots (${STAMPS}, repo_id uuid not null references managed_repos on delete cascade,
        snapshot_at timestamptz not null default now(), source text not null)`,
      `create table sbom_entries (${STAMPS}, snapshot_id uuid not null references sbom_snapshots on delete cascade,
        ecosystem text not null, package text not null, licence text, direct boolean not null default false)`,
      `create table progress_events (${STAMPS}, event_type text not null, summary text not null, author text,
        topic_id uuid references topics on delete set null, workplan_id uuid references workplans on delete set null,
        task_id uuid references tasks on delete set null)`,
    ],
  },
  {
    title: 'indexes',
    statements: [
      'create index on workplans (topic_id)',
      'create index on tasks (workplan_id)',
      'create index on decisions (workplan_id)',
      'create index on workplan_dependencies (to_id)',
      'create index on sbom_snapshots (repo_id, snapshot_at)',
      'create index on sbom_entries (snapshot_id)',
      'create index on progress_events (created_at, id)',
    ],
  },
]
