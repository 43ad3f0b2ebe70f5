// @ts-check
// Reads the summary as any client does, every quarter of a minute, and after everything that is done here.

import { ago, byId, element } from './element.js'
import { readHealth, readSummary, write } from './hub.js'
import { showSummary } from './lists.js'
import { whatMoved } from './moved.js'

/**
 * @typedef {import('./hub.js').Read} Read
 * @typedef {import('./hub.js').Health} Health
 * @typedef {import('../summary/snapshot.ts').Snapshot} Snapshot
 */

const POLL_MS = 15_000
/** After a stale answer the new one is nearly there. */
const AGAIN_MS = 700
const READS_MAX = 12

/** @type {Readonly<Record<Read['outcome'], string>>} */
const WORDS = {
  'hit-revision': 'nothing has moved: the snapshot as it is',
  'progress-section': 'only progress has moved: that section was rebuilt, the rest kept',
  stale: 'core has moved: the last snapshot at once, a new one is being built',
  miss: 'waited for a build',
}

/** @type {Snapshot | undefined} */
let known
/** @type {Health | undefined} */
let health
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer

/** @param {boolean} [isForced] */
async function read(isForced = false) {
  clearTimeout(timer)
  let againMs = POLL_MS
  try {
    const answer = await readSummary(isForced)
    showRead(answer, whatMoved(known, answer.snapshot))
    known = answer.snapshot
    showSummary(known)
    health = await readHealth()
    showSections()
    showFailure(health.last_error ?? undefined)
    if (answer.outcome === 'stale') againMs = AGAIN_MS
  } catch (error) {
    showFailure(String(error instanceof Error ? error.message : error))
  }
  clearTimeout(timer)
  timer = setTimeout(() => void (document.hidden ? undefined : read()), againMs)
}

/** @type {Readonly<Record<string, () => Promise<string>>>} What the buttons do; the answer says what was done. */
const DEEDS = {
  read: async () => 'Read.',
  progress: async () => {
    await write('POST', '/progress', { event_type: 'note', summary: 'Reported from the page', author: 'visitor' })
    return 'A progress event was added.'
  },
  task: async () => {
    const task = [...(known?.next_steps ?? []).map((it) => it.task), ...(known?.waiting_tasks ?? [])][0]
    if (!task) return 'There is no task to finish.'
    await write('PATCH', `/tasks/${task.id}`, { status: 'done' })
    return `Finished: ${task.title}.`
  },
  decision: async () => {
    const decision = known?.blocking_decisions[0]
    if (!decision) return 'No decision is open.'
    await write('PATCH', `/decisions/${decision.id}`, { status: 'resolved', decided_by: 'visitor' })
    return `Resolved: ${decision.title}.`
  },
  workplan: async () => {
    const topic = known?.topics[0]
    if (!topic) return 'There is no topic to plan for.'
    const slug = `visitor-${Date.now().toString(36)}`
    await write('POST', '/workplans', { topic_id: topic.id, slug, title: 'Planned by a visitor', status: 'ready' })
    return `Added ${slug}.`
  },
  invalidate: async () => {
    await write('POST', '/invalidate', { section: 'core' })
    return 'Core counts as changed.'
  },
  refresh: async () => 'Rebuilt.',
  reset: async () => {
    await write('POST', '/reset', {})
    return 'The snapshot is forgotten.'
  },
}

byId('deeds').addEventListener('click', (event) => {
  const button = event.target
  if (!(button instanceof HTMLButtonElement)) return
  const name = button.dataset['deed'] ?? ''
  button.disabled = true
  void (DEEDS[name]?.() ?? Promise.resolve(''))
    .then(
      (done) => {
        byId('deed').textContent = done
        return read(name === 'refresh')
      },
      (error) => showFailure(String(error instanceof Error ? error.message : error)),
    )
    .finally(() => (button.disabled = false))
})

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void read()
})

/**
 * @param {Read} answer
 * @param {readonly string[]} moved
 */
function showRead({ outcome, elapsedMs, at, revision }, moved) {
  byId('outcome').replaceChildren(element('strong', { class: outcome }, outcome), ` ${WORDS[outcome]}`)
  const changes = moved.length === 0 ? '' : `; ${moved.join(', ')}`
  const line = element(
    'li',
    {},
    `${new Date(at).toLocaleTimeString()} `,
    element('strong', { class: outcome }, outcome),
    ` in ${elapsedMs < 10 ? elapsedMs.toFixed(2) : Math.round(elapsedMs)} ms `,
    element('small', {}, `${revision}${changes}`),
  )
  const reads = byId('reads')
  reads.prepend(line)
  while (reads.children.length > READS_MAX) reads.lastElementChild?.remove()
}

function showSections() {
  if (!health) return
  const now = Date.now()
  const since = (/** @type {number | undefined} */ at) => (at === undefined ? '' : ago(now - at))
  byId('sections').replaceChildren(
    ...health.summary.sections.map((it) =>
      element(
        'tr',
        {},
        element('th', { scope: 'row' }, it.section),
        element('td', { class: it.state }, it.state),
        element('td', {}, since(it.built_at)),
        element('td', {}, since(it.as_of)),
        element('td', {}, element('code', {}, revisionOf(it.revision, it.current))),
      ),
    ),
  )
  byId('why').textContent = health.summary.reason
}

/**
 * @param {string | undefined} built
 * @param {string | undefined} current
 */
function revisionOf(built, current) {
  if (built === undefined) return current ?? ''
  return current === undefined || current === built ? built : `${built} → ${current}`
}

/** @param {string | undefined} words */
function showFailure(words) {
  byId('failure').hidden = words === undefined
  byId('failure').textContent = words ?? ''
}

setInterval(showSections, 1_000)
void read()
