// @ts-check

/**
 * @typedef {import('../summary/snapshot.ts').Snapshot} Snapshot
 */

/**
 * What is different in a summary, in words: the counts that changed.
 *
 * @param {Snapshot | undefined} before
 * @param {Snapshot} now
 * @returns {string[]}
 */
export function whatMoved(before, now) {
  if (!before) return []
  const [old, current] = [countsOf(before), countsOf(now)]
  return [...new Set([...old.keys(), ...current.keys()])].flatMap((name) => {
    const [was, is] = [old.get(name) ?? 0, current.get(name) ?? 0]
    return was === is ? [] : [`${name} ${was} → ${is}`]
  })
}

/** @param {Snapshot} snapshot */
function countsOf(snapshot) {
  /** @type {Map<string, number>} */
  const counts = new Map()
  for (const [table, byStatus] of Object.entries(snapshot.totals))
    for (const [status, n] of Object.entries(byStatus)) counts.set(`${table} ${status}`, n)
  counts.set('next steps', snapshot.next_steps.length)
  counts.set('blocking decisions', snapshot.blocking_decisions.length)
  counts.set('progress events', snapshot.progress_event_count)
  return counts
}
