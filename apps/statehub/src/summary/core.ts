import type { Database, Queries } from '@tidemark/database'
import { OVER } from '../database/tables.ts'
import { nextSteps } from './next-steps.ts'
import type { ByStatus, Core } from './snapshot.ts'

const TASK = 't.id, t.title, t.status, t.priority, t.assignee, t.workplan_id'
const URGENCY = "array_position(array['critical', 'high', 'medium', 'low'], t.priority)"
const LISTED_MAX = 50
/** Licences that bind whoever uses the package, and none at all. */
const RISKY = "(licence is null or licence in ('GPL-3.0', 'AGPL-3.0', 'SSPL-1.0'))"

/** Builds the main section: about twenty queries, one after the other, of one moment of the database. */
export function buildCore(database: Database, generatedAt: () => string, signal: AbortSignal): Promise<Core> {
  return database.transaction(async (queries) => {
    await queries.query('set transaction isolation level repeatable read, read only')
    const query: Queries['query'] = (text, values) => {
      // Nobody waits for the rest.
      signal.throwIfAborted()
      return queries.query(text, values)
    }
    return {
      generated_at: generatedAt(),
      totals: await totals(query),
      domains: await query(`select d.id, d.slug,
          (select count(*) from topics where domain_id = d.id) as topics,
          (select count(*) from managed_repos where domain_id = d.id) as repos
        from domains d where d.status = 'active' order by d.slug`),
      topics: await query(`select t.id, t.slug, t.title, t.status, coalesce(
          (select json_object_agg(status, n order by status)
            from (select status, count(*) as n from workplans where topic_id = t.id group by status) s), '{}') as workplans
        from topics t where t.status = 'active' order by t.slug`),
      open_workplans: await query(`select w.id, w.slug, w.title, w.status, w.owner, w.due_date, w.planning_priority,
          coalesce((select json_object_agg(status, n order by status)
            from (select status, count(*) as n from tasks where workplan_id = w.id group by status) s), '{}') as tasks,
          coalesce((select json_agg(o.slug order by o.slug) from workplan_dependencies d
            join workplans o on o.id = d.to_id where d.from_id = w.id), '[]') as depends_on,
          coalesce((select json_agg(o.slug order by o.slug) from workplan_dependencies d
            join workplans o on o.id = d.from_id where d.to_id = w.id), '[]') as blocks
        from workplans w where w.status not in ${OVER}
        order by array_position(array['critical', 'high', 'medium', 'low'], w.planning_priority), w.planning_order, w.id`),
      next_steps: await nextSteps(query),
      blocking_decisions: await query(`select id, title, status, deadline, workplan_id from decisions
        where type = 'pending' and status in ('open', 'escalated') order by deadline, created_at, id`),
      waiting_tasks: await query(`select ${TASK}, t.blocking_reason from tasks t
        join workplans w on w.id = t.workplan_id
        where w.status not in ${OVER} and (t.status = 'wait' or t.needs_human) and t.status not in ('done', 'cancel')
        order by ${URGENCY}, t.created_at, t.id limit ${LISTED_MAX}`),
      contributions: await counted(query, 'contributions', 'type'),
      licence_risk_count: await count(
        query,
        `(select distinct s.repo_id, e.ecosystem, e.package from sbom_entries e
          join (select distinct on (repo_id) id, repo_id from sbom_snapshots order by repo_id, snapshot_at desc, id) s
            on s.id = e.snapshot_id where ${RISKY}) risky`,
      ),
      open_capability_requests: await count(
        query,
        `capability_requests where status not in ('completed', 'rejected', 'withdrawn')`,
      ),
      open_extension_points: await count(query, `extension_points where status = 'open'`),
      open_technical_debt: await count(query, `technical_debt where status <> 'paid'`),
    }
  })
}

async function totals(query: Queries['query']): Promise<Core['totals']> {
  return {
    topics: await counted(query, 'topics', 'status'),
    workplans: await counted(query, 'workplans', 'status'),
    tasks: await counted(query, 'tasks', 'status'),
    decisions: await counted(query, 'decisions', 'status'),
    repos: await counted(
      query,
      'managed_repos',
      `case when last_state_synced_at is null then 'never' else 'synced' end`,
    ),
    sbom_snapshots: await counted(query, 'sbom_snapshots', 'source'),
  }
}

async function counted(query: Queries['query'], table: string, by: string): Promise<ByStatus> {
  const rows = await query<{ name: string; n: number }>(
    `select ${by} as name, count(*) as n from ${table} group by 1 order by 1`,
  )
  return Object.fromEntries(rows.map(({ name, n }) => [name, n]))
}

async function count(query: Queries['query'], what: string): Promise<number> {
  const [row] = await query<{ n: number }>(`select count(*) as n from ${what}`)
  return row?.n ?? 0
}
