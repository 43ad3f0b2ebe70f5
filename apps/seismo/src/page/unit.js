// @ts-check
import { answerOf, failureOf, request } from './api.js'
import { isReplaced } from './era.js'
import { addressOf, counted, text } from './format.js'
import { ageOf } from './source.js'

/**
 * @typedef {import('./api.js').Answer} Answer
 * @typedef {import('./api.js').Body} Body
 * @typedef {import('./api.js').Failure} Failure
 * @typedef {import('./api.js').UnitOverview} UnitOverview
 * @typedef {'info' | 'status' | 'events'} Kind
 * @typedef {{ readonly startedMs: number, readonly isForced: boolean }} Asking
 */

/** @type {Readonly<Record<Kind, string>>} */
const PATHS = { info: '/device/info', status: '/device/monitor/status', events: '/device/events' }
/** The overview tells ages in whole seconds. */
const OVERVIEW_SLACK_SECONDS = 1.5

/** What the page knows of one unit: the last answer of each kind, or why there is none. */
export class Unit {
  /** @type {Partial<Record<Kind, Answer>>} */
  answers = {}
  /** @type {Partial<Record<Kind, Failure>>} */
  failures = {}
  /** What is being asked now. @type {Map<Kind, Asking>} */
  asking = new Map()
  /** When each was asked last, on the page's clock. @type {Record<Kind, number>} */
  askedMs = { info: -Infinity, status: -Infinity, events: -Infinity }
  /** Events by the overview, until the list itself was asked for. @type {{ readonly count: number, readonly last?: Body | undefined }} */
  stored = { count: 0 }
  /** Conversations running or waiting on the unit's line. */
  line = 0
  /** What happened to the unit's memory, when something did. @type {string | undefined} */
  note = undefined
  /** Goes up with every new era. */
  era = 0
  /** Monitoring is being started or stopped, or events are being erased. */
  isChanging = false
  #onChange

  /**
   * @param {string} key connection key
   * @param {() => void} onChange
   */
  constructor(key, onChange) {
    this.key = key
    this.#onChange = onChange
  }

  get address() {
    return addressOf(this.key)
  }

  get serial() {
    return this.answers.info?.body['serial']
  }

  /** The serial, or the address while it is not known. */
  get name() {
    return typeof this.serial === 'string' && this.serial !== '' ? this.serial : this.address
  }

  /** @returns {readonly Body[] | undefined} */
  get events() {
    const events = this.answers.events?.body['events']
    return Array.isArray(events) ? events : undefined
  }

  /** Takes what the cache knows, where that is newer than the last answer here. @param {UnitOverview} overview */
  know({ info, status, events, line }) {
    this.line = line
    this.stored = events
    for (const [kind, known] of /** @type {const} */ ([
      ['info', info],
      ['status', status],
    ])) {
      if (!known) continue
      const { value: body, ...cached } = known
      const source = { ...cached, reason: 'known', loaded_at: '' }
      /** @type {Answer} */
      const answer = { body, source, receivedMs: performance.now(), isForced: false }
      const before = this.answers[kind]
      if (before) {
        const newerBy = ageOf(before) - ageOf(answer)
        // Info of the same age that is stale now: a configuration was written.
        const isOutdated = kind === 'info' && before.source.state !== known.state && newerBy > -OVERVIEW_SLACK_SECONDS
        if (newerBy < OVERVIEW_SLACK_SECONDS && !isOutdated) continue
      }
      this.#took(kind, answer)
    }
  }

  /**
   * Asks the gateway, or the unit itself when forced. Never rejects: a failure is kept for display.
   *
   * @param {Kind} kind
   * @param {boolean} [isForced]
   * @param {number} [maxAgeSeconds] an answer for which the unit was asked less than this ago will do
   */
  async ask(kind, isForced = false, maxAgeSeconds) {
    // The same question is under way already.
    if (this.asking.has(kind) && !(isForced && this.asking.get(kind)?.isForced === false)) return
    const asking = { startedMs: performance.now(), isForced }
    this.asking.set(kind, asking)
    this.askedMs[kind] = asking.startedMs
    this.#onChange()
    try {
      const answer = await answerOf(PATHS[kind], { unit: this.key, isForced, maxAgeSeconds })
      // An answer that was overtaken by another one is old news.
      if (this.asking.get(kind) === asking) this.#took(kind, answer)
    } catch (error) {
      if (this.asking.get(kind) === asking) this.failures[kind] = failureOf(error)
    }
    if (this.asking.get(kind) === asking) this.asking.delete(kind)
    this.#onChange()
  }

  /** Rejects with a `Failure`. @param {boolean} isOn */
  async setMonitoring(isOn) {
    try {
      await this.#change(isOn ? '/device/monitor/start' : '/device/monitor/stop')
    } finally {
      await this.ask('status')
    }
  }

  /** Erases all events. Rejects with a `Failure`. */
  async erase() {
    try {
      const { dropped } = await this.#change('/device/events/erase')
      const { events, waveforms } = /** @type {{ events: number, waveforms: number }} */ (dropped)
      this.#renewed(
        `The unit’s memory was erased from here: all events are new. ` +
          `${counted(events, 'event')} and ${counted(waveforms, 'waveform')} left the cache.`,
      )
    } finally {
      await this.ask('events', false)
      void this.ask('status', true)
    }
  }

  /** @param {string} path */
  async #change(path) {
    this.isChanging = true
    this.#onChange()
    try {
      return await request(path, { method: 'POST', unit: this.key })
    } finally {
      this.isChanging = false
      this.#onChange()
    }
  }

  /**
   * @param {Kind} kind
   * @param {Answer} answer
   */
  #took(kind, answer) {
    const before = this.answers[kind]?.body
    this.answers[kind] = answer
    delete this.failures[kind]
    if (!before) return
    if (kind === 'info' && before['serial'] && answer.body['serial'] && before['serial'] !== answer.body['serial']) {
      this.#renewed(
        `Another unit answers at this address: ${text(answer.body['serial'])} where ${text(before['serial'])} did. All events are new.`,
      )
      delete this.answers.status
      void this.ask('events')
      void this.ask('status')
    }
    if (kind === 'events' && (answer.body['era'] === 'new' || isReplaced(before, answer.body))) {
      this.#renewed('The unit’s memory was erased: all events are new.', answer)
    }
  }

  /**
   * Nothing that was listed before is there any more.
   *
   * @param {string} note
   * @param {Answer} [events] of the new era
   */
  #renewed(note, events) {
    this.era++
    this.note = `${note} Noticed at ${new Date().toTimeString().slice(0, 5)}.`
    // A list that is still on its way may be of the memory as it was.
    this.asking.delete('events')
    if (events) this.answers.events = events
    else delete this.answers.events
    this.stored = { count: 0 }
  }
}
