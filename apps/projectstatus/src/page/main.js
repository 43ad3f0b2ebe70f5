// @ts-check
// The page: everything there is, where each answer was from, and what becomes of it in an outage.

import { ask, onAnswer } from './api.js'
import { byId, complain, setText } from './element.js'
import { showDeployments, showVendors, showWorkItems } from './list.js'
import { noteAnswer, showOrigin, wordsOf } from './origin.js'
import { offerOutage, showDatabase } from './outage.js'

const EVERY_MS = 2_000
const itemStatus = byId('item-status', HTMLSelectElement)
/** @type {any} */
let shown
let isAsking = false
let hasFailed = false

onAnswer(noteAnswer)
itemStatus.addEventListener('change', () => shown && showWorkItems(shown.work_items, itemStatus.value))
void offerOutage(() => void refresh())
void refresh()
setInterval(() => void refresh(), EVERY_MS)

/** Asks for everything, unless that is being done. */
async function refresh() {
  if (isAsking || document.hidden) return
  isAsking = true
  try {
    await Promise.all([showStatus(), showDatabase()])
    // What else it complains of stays until something comes of it.
    if (hasFailed) complain('')
    hasFailed = false
  } catch (error) {
    hasFailed = true
    complain(error instanceof Error ? error.message : String(error))
  }
  isAsking = false
}

async function showStatus() {
  const status = await ask('GET', '/status')
  const { vendors, work_items: items, deployments, sources } = status
  for (const [list, origin] of Object.entries(sources)) showOrigin(list, origin)
  if (
    JSON.stringify([vendors, items, deployments]) !==
    JSON.stringify(shown && [shown.vendors, shown.work_items, shown.deployments])
  ) {
    showVendors(vendors, (vendor, next) => void change(vendor, next))
    showWorkItems(items, itemStatus.value)
    showDeployments(deployments)
  }
  shown = status
  const working = vendors.filter((/** @type {{ status: string }} */ it) => it.status === 'operational').length
  setText(
    byId('summary', HTMLElement),
    `${working} of ${vendors.length} vendors work, ${items.length.toLocaleString('en')} work items; ${wordsOf(status)}`,
  )
}

/**
 * @param {{ name: string, version: number }} vendor
 * @param {'operational' | 'broken'} status
 */
async function change({ name, version }, status) {
  try {
    await ask('PATCH', `/vendors/${encodeURIComponent(name)}`, { expected_version: version, status })
    complain('')
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error))
  }
  await refresh()
}
