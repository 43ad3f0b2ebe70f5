// @ts-check
// How the database is, and in the demonstration a switch that takes it away.

import { ask } from './api.js'
import { byId, complain, setText } from './element.js'

const form = byId('outage', HTMLFieldSetElement)

/**
 * Shows the switch where there is one.
 *
 * @param {() => void} onSwitched
 */
export async function offerOutage(onSwitched) {
  const response = await fetch('/demo/outage')
  if (!response.ok) return
  /** @type {{ kind: string }} */
  const { kind } = await response.json()
  for (const input of form.querySelectorAll('input')) {
    input.checked = input.value === kind
    input.addEventListener('change', () => {
      ask('POST', '/demo/outage', { kind: input.value }).then(onSwitched, (error) => complain(error.message))
    })
  }
  form.hidden = false
}

/** Asks how the database is, and says it. */
export async function showDatabase() {
  const { database, cache } = await ask('GET', '/health')
  const place = byId('database-state', HTMLElement)
  const entries = cache.entries.toLocaleString('en')
  const words = database.asked
    ? database.state === 'up'
      ? `answers, in ${database.latency_ms} ms`
      : `does not answer (${database.error})`
    : `is left alone (${database.last_failure})`
  setText(place, `${words}; ${entries} rows are cached, ${cache.fallbacks} reads were answered by the cache instead.`)
  place.className = database.asked && database.state === 'up' ? 'postgresql' : 'down'
}
