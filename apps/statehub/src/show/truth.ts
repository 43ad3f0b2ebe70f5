import type { Queries } from '@tidemark/database'
import type { Snapshot } from '../summary/snapshot.ts'

/** What can be told apart of a hub by asking it directly. */
interface Truth {
  readonly tasks: number
  readonly finished: number
  readonly events: number
  readonly newest: string | null
  readonly titles: string
  readonly risky: boolean
}

/** True when a snapshot says what the database says. */
export async function isTrue(snapshot: Snapshot, { query }: Queries): Promise<boolean> {
  const [truth] = await query<Truth>(`select
    (select count(*) from tasks) as tasks,
    (select count(*) from tasks where status = 'done') as finished,
    (select count(*) from progress_events) as events,
    (select id from progress_events order by created_at desc, id desc limit 1) as newest,
    (select string_agg(title, '|' order by id) from workplans where status not in ('finished', 'archived')) as titles,
    exists (select from sbom_entries where licence is null) as risky`)
  const { tasks = {} } = snapshot.totals
  const told: Truth = {
    tasks: Object.values(tasks).reduce((sum, n) => sum + n, 0),
    finished: tasks['done'] ?? 0,
    events: snapshot.progress_event_count,
    newest: snapshot.recent_progress[0]?.id ?? null,
    titles: snapshot.open_workplans
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map(({ title }) => title)
      .join('|'),
    risky: snapshot.licence_risk_count > 0,
  }
  return JSON.stringify({ ...truth }) === JSON.stringify(told)
}
