// @ts-check
import { byId, element, setAttribute, setText } from './element.js'
import { counted, eventTime, quantity, text } from './format.js'
import { writePlace } from './place.js'
import { showSource, sourceOf } from './source.js'
import { ProgressBar } from './downloads.js'

/**
 * @typedef {import('./api.js').Body} Body
 * @typedef {import('./downloads.js').Downloads} Downloads
 * @typedef {import('./unit.js').Unit} Unit
 * @typedef {{ readonly name: string, readonly label: string, readonly unit?: string, of(event: Body): unknown }} Column
 */

/** @param {string} channel */
const peak = (channel) => (/** @type {Body} */ event) => /** @type {Body} */ (event['peaks'] ?? {})[channel]

/** @type {readonly Column[]} */
const COLUMNS = [
  { name: 'index', label: '#', of: (event) => event['index'] },
  { name: 'time', label: 'Time', of: (event) => eventTime(event['timestamp']) },
  { name: 'type', label: 'Type', of: (event) => event['record_type'] },
  { name: 'tran', label: 'Tran', unit: 'in/s', of: peak('tran') },
  { name: 'vert', label: 'Vert', unit: 'in/s', of: peak('vert') },
  { name: 'long', label: 'Long', unit: 'in/s', of: peak('long') },
  { name: 'micl', label: 'MicL', unit: 'psi', of: peak('mic_l') },
  { name: 'project', label: 'Project', of: (event) => projectOf(event) },
]
/** Rows shown at first and added by each "more"; a unit holds at most some hundred, its answer may claim anything. */
const ROWS = 500

/** The events of a unit. */
export class EventTable {
  #body = byId('event-rows', HTMLTableSectionElement)
  #source = byId('events-source', HTMLElement)
  #count = byId('event-count', HTMLElement)
  #failure = byId('events-failure', HTMLElement)
  #note = byId('era-note', HTMLElement)
  #empty = byId('no-events', HTMLElement)
  #more = byId('more-events', HTMLButtonElement)
  #filter = byId('waveforms-only', HTMLInputElement)
  #refresh = byId('refresh-events', HTMLButtonElement)
  #progress = new ProgressBar()
  /** @type {Unit | undefined} */
  #unit = undefined
  #sort = { column: /** @type {Column} */ (COLUMNS[0]), isDescending: true }
  #limit = ROWS
  /** What the rows were made of. @type {readonly unknown[]} */
  #made = []

  constructor() {
    this.#source.after(this.#progress.node)
    this.#refresh.addEventListener('click', () => void this.#unit?.ask('events', true))
    this.#more.addEventListener('click', () => {
      this.#limit += ROWS
      this.#showRows()
    })
    this.#filter.addEventListener('change', () => this.#showRows())
    this.#body.addEventListener('click', ({ target }) => {
      const link = target instanceof Element ? target.closest('tr')?.querySelector('a') : undefined
      if (link && String(getSelection()) === '') location.hash = link.hash
    })
    this.#body.addEventListener('keydown', moveFocus)
    byId('event-columns', HTMLTableRowElement).append(...COLUMNS.map((column) => this.#header(column)))
  }

  /**
   * @param {Unit} unit
   * @param {number | undefined} chosen
   * @param {Downloads} downloads
   */
  show(unit, chosen, downloads) {
    if (unit !== this.#unit) this.#limit = ROWS
    this.#unit = unit
    const { events, failures, asking, stored } = unit
    const answer = unit.answers.events
    const question = asking.get('events')
    const source = sourceOf(answer, failures.events)
    showSource(this.#source, source, question ? 'asking the unit …' : '')
    setText(
      this.#count,
      events ? counted(events.length, 'event') : stored.count > 0 ? `${stored.count} in the cache` : '',
    )
    setText(this.#failure, source?.why ?? '')
    setAttribute(this.#failure, 'hidden', source?.why === undefined)
    setText(this.#note, unit.note ?? '')
    setAttribute(this.#note, 'hidden', unit.note === undefined)
    setAttribute(this.#refresh, 'disabled', question?.isForced === true)
    this.#progress.show(downloads.of(unit.key, 'events'))
    this.#showRows()
    for (const row of this.#body.rows) {
      const isChosen = row.dataset['index'] === String(chosen)
      setAttribute(row, 'data-chosen', isChosen)
      setAttribute(/** @type {Element} */ (row.querySelector('a')), 'aria-current', isChosen && 'true')
    }
  }

  #showRows() {
    const { events, key } = /** @type {Unit} */ (this.#unit)
    const { column, isDescending } = this.#sort
    const parts = [events, key, column, isDescending, this.#filter.checked, this.#limit]
    if (parts.every((part, i) => part === this.#made[i])) return
    this.#made = parts
    const found = (events ?? []).filter((event) => !this.#filter.checked || event['record_type'] === 'waveform')
    const sorted = found.toSorted((a, b) => compare(column.of(a), column.of(b)) * (isDescending ? -1 : 1))
    const focused = this.#body.contains(document.activeElement) && document.activeElement?.closest('tr')
    this.#body.replaceChildren(...sorted.slice(0, this.#limit).map((event) => rowOf(key, event)))
    if (focused) this.#linkOf(focused.dataset['index'])?.focus()
    setAttribute(this.#more, 'hidden', sorted.length <= this.#limit)
    setText(this.#more, `Show more of ${counted(sorted.length, 'event')}`)
    setAttribute(this.#empty, 'hidden', events === undefined || found.length > 0)
    setText(this.#empty, events?.length === 0 ? 'The unit has no events.' : 'The unit has no waveforms.')
  }

  /**
   * @param {string | undefined} index
   * @returns {HTMLAnchorElement | null | undefined}
   */
  #linkOf(index) {
    return [...this.#body.rows].find((row) => row.dataset['index'] === index)?.querySelector('a')
  }

  /** @param {Column} column */
  #header(column) {
    const unit = column.unit === undefined ? [] : [element('small', {}, column.unit)]
    const button = element('button', { type: 'button' }, column.label, ...unit)
    const header = element('th', { scope: 'col', 'data-column': column.name }, button)
    if (column === this.#sort.column) setAttribute(header, 'aria-sort', 'descending')
    button.addEventListener('click', () => {
      const isDescending = this.#sort.column === column ? !this.#sort.isDescending : column.name !== 'project'
      this.#sort = { column, isDescending }
      for (const other of header.parentElement?.children ?? []) setAttribute(other, 'aria-sort', undefined)
      setAttribute(header, 'aria-sort', isDescending ? 'descending' : 'ascending')
      this.#showRows()
    })
    return header
  }
}

/**
 * @param {string} unit
 * @param {Body} event
 */
function rowOf(unit, event) {
  const index = Number(event['index'])
  const cells = COLUMNS.slice(1).map((column) => {
    const value = column.of(event)
    const isNumber = column.unit !== undefined
    const words = isNumber ? quantity(value) : text(value)
    const attributes = {
      'data-column': column.name,
      'data-label': isNumber && column.label,
      class: isNumber && 'number',
    }
    return element('td', attributes, words)
  })
  const label = `Event ${index}, ${eventTime(event['timestamp'])}`
  const link = element('a', { href: writePlace(unit, index), 'aria-label': label }, String(index))
  const header = element('th', { scope: 'row', 'data-column': 'index' }, link)
  return element('tr', { 'data-index': index, 'data-type': text(event['record_type']) }, header, ...cells)
}

/** @param {Body} event */
function projectOf({ project }) {
  return typeof project === 'object' && project !== null ? /** @type {Body} */ (project)['project'] : project
}

/**
 * Numbers by size, text by the alphabet; what is missing comes first.
 *
 * @param {unknown} a
 * @param {unknown} b
 */
function compare(a, b) {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  return (typeof a === 'string' ? a : '').localeCompare(typeof b === 'string' ? b : '')
}

/**
 * Arrow keys go from event to event.
 *
 * @param {KeyboardEvent} event
 */
function moveFocus(event) {
  const row = event.target instanceof Element ? event.target.closest('tr') : undefined
  const next =
    event.key === 'ArrowDown'
      ? row?.nextElementSibling
      : event.key === 'ArrowUp'
        ? row?.previousElementSibling
        : undefined
  const link = next?.querySelector('a')
  if (!link) return
  event.preventDefault()
  link.focus()
}
