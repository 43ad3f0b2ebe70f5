// @ts-check
import { failureOf, request } from './api.js'
import { Unit } from './unit.js'

/**
 * @typedef {import('./api.js').Failure} Failure
 * @typedef {import('./api.js').UnitOverview} UnitOverview
 * @typedef {import('./unit.js').Kind} Kind
 */

const OVERVIEW_MS = 5000
/** @type {Readonly<Record<Kind, number>>} */
const EVERY_MS = { info: 60_000, status: 15_000, events: 60_000 }
/** Others look at the same units: what one of them was told just now need not be asked again for what is polled. */
const POLL_MAX_AGE_SECONDS = 10
/** A browser has six connections to the gateway; two are left for what somebody clicked and for progress. */
const POLLS_MAX = 4
/** What is polled in this order when all is due, so that a slow list does not hold up the status of the fleet. */
const KINDS = /** @type {const} */ (['info', 'status', 'events'])

/** All units the page knows, and the asking that goes on as long as somebody looks. */
export class Units {
  /** Why the gateway itself does not answer. @type {Failure | undefined} */
  failure = undefined
  /** The gateway has said which units there are. */
  isKnown = false
  /** @type {Map<string, Unit>} */
  #units = new Map()
  /** Polled now. A unit's line takes one conversation at a time: a second question would only hold a connection. @type {Set<Unit>} */
  #polled = new Set()
  #overviewDueMs = 0
  #onChange

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange
  }

  /** @returns {readonly Unit[]} */
  get list() {
    return [...this.#units.values()]
  }

  /** The unit with this connection key; one the gateway did not name may still be asked. @param {string} key */
  of(key) {
    let unit = this.#units.get(key)
    if (!unit) this.#units.set(key, (unit = new Unit(key, this.#onChange)))
    return unit
  }

  /** Asks whatever is due. Called every second while the page is visible. @param {string | undefined} chosen */
  poll(chosen) {
    const now = performance.now()
    if (now >= this.#overviewDueMs) {
      this.#overviewDueMs = now + OVERVIEW_MS
      void this.#overview(chosen)
    }
    this.#pollUnits()
  }

  #pollUnits() {
    const now = performance.now()
    for (const kind of KINDS) {
      for (const unit of this.list) {
        if (this.#polled.size >= POLLS_MAX) return
        if (this.#isDue(unit, kind, now)) void this.#ask(unit, kind)
      }
    }
  }

  /**
   * @param {Unit} unit
   * @param {Kind} kind
   * @param {number} now
   */
  #isDue(unit, kind, now) {
    if (this.#polled.has(unit) || unit.asking.has(kind) || unit.isChanging || !this.isKnown) return false
    if (now < unit.askedMs[kind] + EVERY_MS[kind]) return false
    // Info is good until a configuration is written; the overview says when that happened.
    const info = unit.answers.info
    return kind !== 'info' || info === undefined || info.source.state === 'stale'
  }

  /**
   * @param {Unit} unit
   * @param {Kind} kind
   */
  async #ask(unit, kind) {
    this.#polled.add(unit)
    await unit.ask(kind, false, POLL_MAX_AGE_SECONDS)
    this.#polled.delete(unit)
    if (document.visibilityState === 'visible') this.#pollUnits()
  }

  /** @param {string | undefined} chosen */
  async #overview(chosen) {
    try {
      const { units } = /** @type {{ units: readonly UnitOverview[] }} */ (
        /** @type {unknown} */ (await request('/fleet'))
      )
      const named = new Set(units.map(({ unit }) => unit))
      if (chosen !== undefined) named.add(chosen)
      // In the order of the gateway; a unit it forgot is forgotten here.
      this.#units = new Map([...named].map((key) => [key, this.of(key)]))
      for (const overview of units) this.of(overview.unit).know(overview)
      this.failure = undefined
      this.isKnown = true
    } catch (error) {
      this.failure = failureOf(error)
    }
    this.#onChange()
    if (this.failure === undefined) this.#pollUnits()
  }
}
