// @ts-check
import { request } from './api.js'
import { element, setAttribute, setText } from './element.js'

/**
 * @typedef {import('./api.js').Download} Download
 */

const POLL_MS = 500

/** The long answers on their way from units to the gateway; asked for only while there is one. */
export class Downloads {
  /** @type {readonly Download[]} */
  list = []
  #isFollowing = false
  #onChange

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange
  }

  /**
   * The one a unit sends now, or is to send next.
   *
   * @param {string | undefined} unit
   * @param {Download['what']} [what]
   * @param {number} [index]
   */
  of(unit, what, index) {
    return this.list.find(
      (it) =>
        it.unit === unit && (what === undefined || it.what === what) && (index === undefined || it.index === index),
    )
  }

  /** Asks until `isNeeded` says no and nothing is on its way. @param {() => boolean} isNeeded */
  async follow(isNeeded) {
    if (this.#isFollowing || !isNeeded()) return
    this.#isFollowing = true
    do {
      try {
        const { downloads } = await request('/downloads')
        this.list = Array.isArray(downloads) ? downloads : []
      } catch {
        // Whoever waits for the answer itself hears of the failure.
        this.list = []
      }
      this.#onChange()
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    } while (document.visibilityState === 'visible' && (this.list.length > 0 || isNeeded()))
    this.#isFollowing = false
  }
}

/** A bar with words, hidden while nothing is on its way. */
export class ProgressBar {
  #bar = element('progress')
  #words = element('span')
  node = element('div', { class: 'progress', hidden: true }, this.#bar, this.#words)

  /** @param {Download | undefined} download */
  show(download) {
    setAttribute(this.node, 'hidden', download === undefined)
    if (!download) return
    const { done, total, what, index } = download
    const name = what === 'events' ? 'event list' : `recording of event ${index}`
    setAttribute(this.#bar, 'aria-label', `Download of the ${name}`)
    setAttribute(this.#bar, 'max', total || 1)
    // Without a value the bar says that it does not know yet.
    setAttribute(this.#bar, 'value', total === 0 ? undefined : done)
    const counted = `${done} of ${total}${what === 'events' ? '' : ' pieces'}`
    setText(this.#words, `${name}: ${total === 0 ? 'waiting for the unit' : counted}`)
  }
}
