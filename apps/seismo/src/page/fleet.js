// @ts-check
import { ProgressBar } from './downloads.js'
import { element, setAttribute, setText } from './element.js'
import { counted, eventTime, kilobytes, quantity, text, volts } from './format.js'
import { writePlace } from './place.js'
import { showSource, sourceOf } from './source.js'

/**
 * @typedef {import('./api.js').Download} Download
 * @typedef {import('./downloads.js').Downloads} Downloads
 * @typedef {import('./unit.js').Unit} Unit
 * @typedef {import('./unit.js').Kind} Kind
 */

const KINDS = /** @type {const} */ (['info', 'status', 'events'])
/** Below this a unit should get a new battery, volts. */
const LOW_BATTERY_V = 6.1
/** Less free memory than this share is soon full. */
const LOW_MEMORY = 0.1

/** The table of the fleet: a row for each unit, kept while the unit is known so that focus and selection stay. */
export class FleetTable {
  /** @type {Map<string, Row>} */
  #rows = new Map()
  #body
  #onMonitoring

  /**
   * @param {HTMLTableSectionElement} body
   * @param {(unit: Unit, isOn: boolean) => void} onMonitoring
   */
  constructor(body, onMonitoring) {
    this.#body = body
    this.#onMonitoring = onMonitoring
  }

  /**
   * @param {readonly Unit[]} units
   * @param {string | undefined} chosen
   * @param {Downloads} downloads
   */
  show(units, chosen, downloads) {
    const keys = new Set(units.map(({ key }) => key))
    for (const [key, row] of this.#rows) {
      if (keys.has(key)) continue
      row.node.remove()
      this.#rows.delete(key)
    }
    for (const [i, unit] of units.entries()) {
      let row = this.#rows.get(unit.key)
      if (!row) {
        row = new Row(unit, this.#onMonitoring)
        this.#rows.set(unit.key, row)
      }
      // Moving a row that stands where it should would take the focus out of it.
      if (this.#body.rows[i] !== row.node) this.#body.insertBefore(row.node, this.#body.rows[i] ?? null)
      row.show(unit.key === chosen, downloads)
    }
  }

  /** Brings a unit's row into sight. @param {string | undefined} unit */
  reveal(unit) {
    if (unit !== undefined) this.#rows.get(unit)?.node.scrollIntoView({ block: 'nearest' })
  }
}

class Row {
  #name = element('a', { class: 'name' })
  #model = element('small')
  #battery = element('td', { 'data-label': 'Battery', class: 'number' })
  #memory = new MemoryBar()
  #monitoring = element('span', { class: 'badge' })
  #button = element('button', { type: 'button' })
  #last = element('span')
  #lastPeak = element('small')
  #count = element('small')
  #line = element('span')
  #progress = new ProgressBar()
  #sources = Object.fromEntries(KINDS.map((kind) => [kind, element('dd')]))
  #unit

  /**
   * @param {Unit} unit
   * @param {(unit: Unit, isOn: boolean) => void} onMonitoring
   */
  constructor(unit, onMonitoring) {
    this.#unit = unit
    this.#button.addEventListener('click', () => onMonitoring(unit, !this.#isMonitoring))
    setAttribute(this.#name, 'href', writePlace(unit.key))
    const sources = KINDS.map((kind) =>
      element('div', {}, element('dt', {}, kind), /** @type {HTMLElement} */ (this.#sources[kind])),
    )
    const monitoring = element('div', { class: 'switch' }, this.#monitoring, this.#button)
    this.node = element(
      'tr',
      {},
      element('th', { scope: 'row' }, this.#name, this.#model),
      this.#battery,
      element('td', { 'data-label': 'Memory' }, this.#memory.node),
      element('td', { 'data-label': 'Monitoring' }, monitoring),
      element('td', { 'data-label': 'Last event' }, this.#last, this.#lastPeak, this.#count),
      element('td', { 'data-label': 'Line' }, this.#line, this.#progress.node),
      element('td', { 'data-label': 'Source and age', class: 'sources' }, element('dl', {}, ...sources)),
    )
    this.node.addEventListener('click', ({ target }) => {
      const isControl = target instanceof Element && target.closest('a, button') !== null
      if (!isControl && String(getSelection()) === '') location.hash = writePlace(unit.key)
    })
  }

  get #isMonitoring() {
    return this.#unit.answers.status?.body['is_monitoring'] === true
  }

  /**
   * @param {boolean} isChosen
   * @param {Downloads} downloads
   */
  show(isChosen, downloads) {
    const unit = this.#unit
    const { info, status } = unit.answers
    setAttribute(this.node, 'data-chosen', isChosen)
    setAttribute(this.#name, 'aria-current', isChosen && 'true')
    setText(this.#name, unit.name)
    setText(this.#model, info ? `${text(info.body['model'])} · ${unit.address}` : unit.address)
    const battery = status?.body['battery_v']
    setText(this.#battery, volts(battery))
    setAttribute(this.#battery, 'data-low', typeof battery === 'number' && battery < LOW_BATTERY_V)
    this.#memory.show(status?.body['memory_free'], status?.body['memory_total'])
    this.#showMonitoring()
    this.#showLast()
    this.#showLine(downloads.of(unit.key))
    for (const kind of KINDS) this.#showSource(kind)
  }

  /** @param {Download | undefined} download may have begun since the line was looked at */
  #showLine(download) {
    const length = Math.max(this.#unit.line, download ? 1 : 0)
    setText(this.#line, length === 0 ? 'idle' : length === 1 ? 'in use' : `in use, ${length - 1} waiting`)
    setAttribute(this.#line, 'data-busy', length > 0)
    this.#progress.show(download)
  }

  #showMonitoring() {
    const { status } = this.#unit.answers
    const isOn = this.#isMonitoring
    setText(this.#monitoring, status ? (isOn ? 'yes' : 'no') : '–')
    setAttribute(this.#monitoring, 'data-on', status && isOn)
    setText(this.#button, isOn ? 'Stop' : 'Start')
    setAttribute(this.#button, 'aria-label', `${isOn ? 'Stop' : 'Start'} monitoring of ${this.#unit.name}`)
    setAttribute(this.#button, 'disabled', this.#unit.isChanging || status === undefined)
  }

  #showLast() {
    const { events, stored } = this.#unit
    const last = events ? events.at(-1) : stored.last
    const count = events ? events.length : stored.count
    const isAsked = events !== undefined || stored.count > 0
    setText(this.#last, last ? eventTime(last['timestamp']) : isAsked ? 'none' : '–')
    setText(this.#count, isAsked ? counted(count, 'event') : '')
    const { vert } = /** @type {{ vert?: unknown }} */ (last?.['peaks'] ?? {})
    setText(this.#lastPeak, last ? `${text(last['record_type'])}, Vert ${quantity(vert, 'in/s')}` : '')
  }

  /** @param {Kind} kind */
  #showSource(kind) {
    const node = /** @type {HTMLElement} */ (this.#sources[kind])
    const { answers, failures, asking, stored } = this.#unit
    const isStored = kind === 'events' && stored.count > 0
    const otherwise = isStored ? 'from the cache; asking the unit …' : asking.has(kind) ? 'asking …' : '–'
    showSource(node, sourceOf(answers[kind], failures[kind]), otherwise)
  }
}

class MemoryBar {
  #fill = element('span')
  #bar = element('span', { class: 'bar', role: 'meter', 'aria-label': 'Memory used', 'aria-valuemin': 0 }, this.#fill)
  #words = element('small')
  node = element('div', { class: 'memory' }, this.#bar, this.#words)

  /**
   * @param {unknown} free
   * @param {unknown} total
   */
  show(free, total) {
    const isKnown = typeof free === 'number' && typeof total === 'number' && total > 0
    setAttribute(this.#bar, 'hidden', !isKnown)
    if (!isKnown) return setText(this.#words, '–')
    const used = total - free
    const words = `${kilobytes(free)} of ${kilobytes(total)} KB free`
    setText(this.#words, words)
    setAttribute(this.#bar, 'aria-valuemax', total)
    setAttribute(this.#bar, 'aria-valuenow', used)
    setAttribute(this.#bar, 'aria-valuetext', words)
    setAttribute(this.#bar, 'data-low', free / total < LOW_MEMORY)
    this.#fill.style.width = `${(used / total) * 100}%`
  }
}
