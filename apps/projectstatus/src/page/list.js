// @ts-check
import { byId, element, setText } from './element.js'

/**
 * As the service sends them: times are texts.
 *
 * @typedef {{ name: string, status: 'operational' | 'broken', extractor_version: string, version: number }} Vendor
 * @typedef {{ title: string, item_type: string, status: string, branch_name: string | null, created_at: string }} WorkItem
 * @typedef {{ deployed_at: string, pr_title: string, pr_number: number, duration_seconds: string }} Deployment
 */

/** More rows than anybody reads would only be slow. */
const ROWS_MAX = 200

/**
 * @param {readonly Vendor[]} vendors
 * @param {(vendor: Vendor, status: Vendor['status']) => void} change
 */
export function showVendors(vendors, change) {
  const rows = vendors.map((vendor) => {
    const other = vendor.status === 'operational' ? 'broken' : 'operational'
    const button = element(
      'button',
      { type: 'button', 'aria-label': `Mark ${vendor.name} as ${other}` },
      `mark ${other}`,
    )
    button.addEventListener('click', () => change(vendor, other))
    return element(
      'tr',
      { 'data-name': vendor.name },
      element('th', { scope: 'row' }, vendor.name),
      element('td', { class: vendor.status }, vendor.status),
      element('td', {}, vendor.extractor_version),
      element('td', { class: 'number' }, String(vendor.version)),
      element('td', {}, button),
    )
  })
  const body = byId('vendor-rows', HTMLTableSectionElement)
  const focused = document.activeElement?.closest('tr')?.dataset['name']
  body.replaceChildren(...rows)
  if (focused !== undefined)
    rows
      .find((row) => row.dataset['name'] === focused)
      ?.querySelector('button')
      ?.focus()
}

/**
 * @param {readonly WorkItem[]} items
 * @param {string} status empty: all
 */
export function showWorkItems(items, status) {
  const chosen = items.filter((item) => status === '' || item.status === status)
  const rows = chosen
    .slice(0, ROWS_MAX)
    .map((item) =>
      element(
        'tr',
        {},
        element('td', {}, item.title),
        element('td', {}, item.item_type),
        element('td', { class: item.status }, item.status),
        element('td', {}, item.branch_name ?? ''),
        element('td', {}, day(item.created_at)),
      ),
    )
  byId('item-rows', HTMLTableSectionElement).replaceChildren(...rows)
  const count = chosen.length.toLocaleString('en')
  setText(byId('item-count', HTMLElement), chosen.length > ROWS_MAX ? `the first ${ROWS_MAX} of ${count}` : count)
}

/** @param {readonly Deployment[]} deployments */
export function showDeployments(deployments) {
  const rows = deployments.map((it) =>
    element(
      'tr',
      {},
      element('td', {}, day(it.deployed_at)),
      element('td', {}, `#${it.pr_number} ${it.pr_title}`),
      element('td', { class: 'number' }, it.duration_seconds),
    ),
  )
  byId('deployment-rows', HTMLTableSectionElement).replaceChildren(...rows)
}

/** @param {string} time */
function day(time) {
  return time.slice(0, 10)
}
