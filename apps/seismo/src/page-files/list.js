// @ts-check
import { byId, element, setAttribute, setText } from '../page/element.js'
import { counted, eventTime, quantity, text } from '../page/format.js'
import { listFiles } from './files-api.js'
import { hashOf } from './place.js'

/**
 * @typedef {import('../page/api.js').Body} Body
 * @typedef {import('./files-api.js').FileLine} FileLine
 * @typedef {import('./files-api.js').Filter} Filter
 */

/** The files that were searched for, a page at a time. */
export class FileList {
  #rows = byId('file-rows', HTMLTableSectionElement)
  #summary = byId('summary', HTMLElement)
  #more = byId('more-files', HTMLButtonElement)
  #onFailure
  /** @type {Filter} */
  #filter = {}
  /** @type {string | null} */
  #next = null
  /** So that a slow answer does not take the place of a later one. */
  #search = 0

  /** @param {(error: unknown) => void} onFailure */
  constructor(onFailure) {
    this.#onFailure = onFailure
    this.#more.addEventListener('click', () => void this.#load())
    this.#rows.addEventListener('click', ({ target }) => {
      const link = target instanceof Element ? target.closest('tr')?.querySelector('a') : undefined
      if (link && String(getSelection()) === '') location.hash = link.hash
    })
  }

  /** @param {Filter} filter */
  async search(filter) {
    this.#filter = filter
    this.#next = null
    this.#search++
    this.#rows.replaceChildren()
    await this.#load()
  }

  /** @param {string | undefined} hash */
  choose(hash) {
    for (const row of this.#rows.rows) {
      const link = row.querySelector('a')
      setAttribute(row, 'data-chosen', link?.hash === hash)
      if (link) setAttribute(link, 'aria-current', link.hash === hash && 'true')
    }
  }

  /**
   * A review that was just saved.
   *
   * @param {string} hash
   * @param {Body} review
   */
  reviewed(hash, review) {
    const row = [...this.#rows.rows].find((it) => it.querySelector('a')?.hash === hash)
    const cell = row?.querySelector('[data-column="review"]')
    if (cell) setText(cell, reviewWords(review))
  }

  async #load() {
    const search = this.#search
    setAttribute(this.#more, 'disabled', true)
    try {
      const { files, next } = await listFiles({ ...this.#filter, ...(this.#next ? { after: this.#next } : {}) })
      if (search !== this.#search) return
      this.#next = next
      this.#rows.append(...files.map(rowOf))
      this.choose(location.hash)
      const count = this.#rows.rows.length
      setText(this.#summary, `${counted(count, 'file')}${next === null ? '' : ' and more'}`)
      setAttribute(byId('no-files', HTMLElement), 'hidden', count > 0)
    } catch (error) {
      this.#onFailure(error)
    }
    setAttribute(this.#more, 'hidden', this.#next === null)
    setAttribute(this.#more, 'disabled', false)
  }
}

/** @param {FileLine} file */
function rowOf({ serial, filename, time, peaks, review }) {
  const ground = ['tran', 'vert', 'long'].map((channel) => Number(peaks?.[channel] ?? 0))
  const decibel = peaks?.['mic_db']
  /**
   * @param {string} column
   * @param {string | Node} content
   */
  const cell = (column, content) => element('td', { 'data-column': column }, content)
  const number = (/** @type {string} */ words) => element('td', { class: 'number' }, words)
  return element(
    'tr',
    {},
    cell('time', eventTime(time)),
    cell('unit', text(serial)),
    cell('file', element('a', { href: hashOf(serial, filename) }, filename)),
    number(quantity(Math.max(...ground))),
    number(typeof decibel === 'number' ? decibel.toFixed(1) : '–'),
    cell('review', reviewWords(review)),
  )
}

/** @param {Body} review */
function reviewWords(review) {
  const words = [
    ...(review['false_trigger'] === true ? ['false trigger'] : []),
    ...(review['excluded'] === true ? ['not in reports'] : []),
    ...(review['reviewed'] === true ? ['reviewed'] : []),
  ]
  return words.join(', ')
}
