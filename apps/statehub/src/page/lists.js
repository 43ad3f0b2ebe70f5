// @ts-check
// The summary, as lists.

import { ago, byId, element } from './element.js'

/**
 * @typedef {import('../summary/snapshot.ts').Snapshot} Snapshot
 */

const SHOWN_MAX = 12

/** @param {Snapshot} snapshot */
export function showSummary(snapshot) {
  const { totals, open_workplans, next_steps, blocking_decisions, recent_progress } = snapshot
  byId('summary').hidden = false
  byId('empty').hidden = snapshot.topics.length > 0
  byId('generated').textContent = `Built at ${new Date(snapshot.generated_at).toLocaleTimeString()}.`
  const facts = Object.entries(totals).map(([table, byStatus]) => [
    table.replaceAll('_', ' '),
    Object.entries(byStatus)
      .map(([status, n]) => `${n} ${status}`)
      .join(', ') || 'none',
  ])
  facts.push(
    ['progress events', String(snapshot.progress_event_count)],
    ['packages with a risky licence', String(snapshot.licence_risk_count)],
    ['open capability requests', String(snapshot.open_capability_requests)],
  )
  byId('totals').replaceChildren(
    ...facts.map(([name = '', value = '']) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  )
  list(
    'workplans',
    open_workplans.map((it) => {
      const tasks = Object.entries(it.tasks).map(([status, n]) => `${n} ${status}`)
      const waits = it.depends_on.length === 0 ? '' : `; waits for ${it.depends_on.join(', ')}`
      return [`${it.title} (${it.slug})`, `${it.status}; ${tasks.join(', ') || 'no tasks'}${waits}`]
    }),
  )
  list(
    'steps',
    next_steps.map((it) => [
      it.task.title,
      it.because === 'decision-resolved' ? `decided: ${it.what}` : `nothing holds up ${it.what} any more`,
    ]),
  )
  list(
    'decisions',
    blocking_decisions.map((it) => [it.title, it.deadline === null ? it.status : `${it.status}, until ${it.deadline}`]),
  )
  list(
    'progress',
    recent_progress.map((it) => [
      it.summary,
      `${it.event_type}${it.author === null ? '' : ` by ${it.author}`}, ${ago(Date.now() - Date.parse(it.created_at))}`,
    ]),
  )
}

/**
 * @param {string} id
 * @param {readonly (readonly [string, string])[]} items
 */
function list(id, items) {
  const rows = items
    .slice(0, SHOWN_MAX)
    .map(([title, about]) => element('li', {}, title, ' ', element('small', {}, about)))
  if (items.length > SHOWN_MAX) rows.push(element('li', {}, `and ${items.length - SHOWN_MAX} more`))
  if (items.length === 0) rows.push(element('li', {}, 'none'))
  byId(id).replaceChildren(...rows)
}
