import type { Database } from '@tidemark/database'
import type { Progress } from './snapshot.ts'

const NEWEST = 20

interface Row {
  readonly newest: Progress['newest']
  readonly total: number
}

/** Builds the section of the newest events. One statement, so that list and count are of one moment. */
export async function buildProgress(database: Database, generatedAt: () => string): Promise<Progress> {
  const generated_at = generatedAt()
  const [row] = await database.query<Row>(`select
    (select count(*) from progress_events) as total,
    coalesce((select json_agg(e) from (
      select id, event_type, summary, author, workplan_id, task_id, created_at
      from progress_events order by created_at desc, id desc limit ${NEWEST}) e), '[]') as newest`)
  return { generated_at, total: row?.total ?? 0, newest: row?.newest ?? [] }
}
