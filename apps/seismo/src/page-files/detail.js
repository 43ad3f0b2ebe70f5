// @ts-check
import { failureOf, request } from '../page/api.js'
import { byId, setAttribute, setFacts, setText } from '../page/element.js'
import { eventTime, quantity, text } from '../page/format.js'
import { Plots } from '../page/plot.js'
import { recordingOf } from '../page/recording.js'
import { typedIn } from './fields.js'
import { pathOf, saveReview } from './files-api.js'

/**
 * @typedef {import('../page/api.js').Body} Body
 */

const FLAGS = ['reviewed', 'false_trigger', 'excluded']
const TEXTS = ['reviewer', 'note']

/** One file: its recording, what is known of it, and what people say of it. */
export class FilePanel {
  #panel = byId('file', HTMLElement)
  #failure = byId('file-failure', HTMLElement)
  #form = byId('review', HTMLFormElement)
  #state = byId('review-state', HTMLElement)
  #save = byId('save-review', HTMLButtonElement)
  #plots = new Plots(byId('plots', HTMLElement))
  #onReviewed
  /** @type {string | undefined} */
  #path = undefined

  /** @param {(review: Body) => void} onReviewed */
  constructor(onReviewed) {
    this.#onReviewed = onReviewed
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#submit()
    })
  }

  /** @param {{ serial: string, filename: string } | undefined} place */
  async choose(place) {
    const path = place && pathOf(place.serial, place.filename)
    this.#path = path
    setAttribute(this.#panel, 'data-empty', path === undefined)
    this.#plots.show(undefined)
    this.#fail(undefined)
    setText(this.#state, '')
    if (!place || path === undefined) return
    setText(byId('file-title', HTMLElement), place.filename)
    byId('download', HTMLAnchorElement).href = path
    setFacts(byId('file-facts', HTMLElement), [])
    try {
      const [known, waveform] = await Promise.all([request(`${path}/metadata`), request(`${path}/waveform`)])
      if (this.#path !== path) return
      setFacts(byId('file-facts', HTMLElement), factsOf(known))
      this.#fill(/** @type {Body} */ (known['review']))
      this.#plots.show(recordingOf(waveform))
    } catch (error) {
      if (this.#path === path) this.#fail(error)
    }
  }

  async #submit() {
    const path = this.#path
    if (path === undefined) return
    const fields = new FormData(this.#form)
    const review = Object.fromEntries([
      ...FLAGS.map((name) => [name, fields.has(name) ? true : null]),
      ...TEXTS.map((name) => [name, typedIn(fields, name) || null]),
    ])
    setAttribute(this.#save, 'disabled', true)
    try {
      const known = await saveReview(path, review)
      this.#onReviewed(/** @type {Body} */ (known['review']))
      if (this.#path === path) setText(this.#state, 'Saved.')
    } catch (error) {
      if (this.#path === path) setText(this.#state, failureOf(error).words)
    }
    setAttribute(this.#save, 'disabled', false)
  }

  /** @param {Body} review */
  #fill(review) {
    for (const name of FLAGS) {
      const box = this.#form.elements.namedItem(name)
      if (box instanceof HTMLInputElement) box.checked = review[name] === true
    }
    for (const name of TEXTS) {
      const field = this.#form.elements.namedItem(name)
      const words = typeof review[name] === 'string' ? review[name] : ''
      if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) field.value = words
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    setText(this.#failure, error === undefined ? '' : failureOf(error).words)
    setAttribute(this.#failure, 'hidden', error === undefined)
  }
}

/**
 * @param {Body} known
 * @returns {(readonly [name: string, value: string])[]}
 */
function factsOf(known) {
  const recording = /** @type {Body} */ (known['recording'] ?? {})
  const peaks = /** @type {Body} */ (known['peaks'] ?? {})
  const project = /** @type {Body} */ (known['project'] ?? {})
  return [
    ['Time of the unit', eventTime(known['time'])],
    ['Unit', text(known['serial'])],
    ['Key', text(known['waveform_key'])],
    ...Object.entries(project).map(([name, value]) => /** @type {const} */ ([name, text(value)])),
    ['Rate', `${quantity(recording['sample_rate'])} samples/s`],
    ['Recorded', quantity(recording['record_seconds'], 's')],
    ['Microphone', quantity(peaks['mic_db'], 'dB')],
    ['Size', `${text(known['size'])} bytes`],
    ['Encoder', text(known['encoder_version'])],
    ['Kept since', eventTime(known['captured_at'])],
    ['SHA-256', text(known['sha256'])],
  ]
}
