import type { Queries } from '@tidemark/database'
import { OVER } from '../database/tables.ts'
import type { NextStep, TaskBrief } from './snapshot.ts'

/**
 * So many of the last decisions, and of the workplans whose way is clear, are shown. A number and not an age: time alone
 * must not change a summary that is kept until the data does.
 */
const STEPS_MAX = 20

type Row = TaskBrief & { readonly step_id: string; readonly what: string }

/** The first task of a workplan with one of these statuses: the most urgent, then the oldest. */
function firstTask(workplan: string, statuses: string): string {
  return `lateral (select id, title, status, priority, assignee, workplan_id from tasks
    where workplan_id = ${workplan} and status in ${statuses}
    order by array_position(array['critical', 'high', 'medium', 'low'], priority), created_at, id limit 1) t`
}

/**
 * What can be done now that could not before: the first open task of a workplan for which something was decided lately,
 * and the first task to do of a workplan whose dependencies are all over.
 */
export async function nextSteps(query: Queries['query']): Promise<NextStep[]> {
  const decided = await query<Row>(`select d.id as step_id, d.title as what, t.* from decisions d
    join workplans w on w.id = d.workplan_id and w.status not in ${OVER}
    cross join ${firstTask('w.id', "('todo', 'progress', 'wait')")}
    where d.status = 'resolved'
    order by d.updated_at desc, d.id limit ${STEPS_MAX}`)
  const cleared = await query<Row>(`select w.id as step_id, w.title as what, t.* from workplans w
    cross join ${firstTask('w.id', "('todo')")}
    where w.status not in ${OVER}
      and exists (select from workplan_dependencies d where d.from_id = w.id)
      and not exists (select from workplan_dependencies d join workplans o on o.id = d.to_id
        where d.from_id = w.id and o.status not in ${OVER})
    order by w.planning_order, w.id limit ${STEPS_MAX}`)
  const steps = (because: NextStep['because'], rows: readonly Row[]): NextStep[] =>
    rows.map(({ step_id, what, ...task }) => ({ id: `${because}:${step_id}`, because, what, task }))
  return [...steps('decision-resolved', decided), ...steps('dependency-cleared', cleared)]
}
