// @ts-check
import { answerOf, failureOf } from './api.js'
import { ProgressBar } from './downloads.js'
import { byId, setAttribute, setFacts, setText } from './element.js'
import { duration, eventTime, quantity, text } from './format.js'
import { Plots } from './plot.js'
import { recordingOf } from './recording.js'
import { showSource, sourceOf } from './source.js'

/**
 * @typedef {import('./api.js').Answer} Answer
 * @typedef {import('./api.js').Body} Body
 * @typedef {import('./api.js').Failure} Failure
 * @typedef {import('./downloads.js').Downloads} Downloads
 * @typedef {import('./recording.js').Recording} Recording
 * @typedef {import('./unit.js').Unit} Unit
 */

const HISTOGRAM_NOTE =
  'This is a histogram: the largest value of each interval, not the motion itself. There is no trigger.'
const NO_SAMPLES_NOTE = 'This record is of an older program and holds no samples that could be plotted.'

/** The recording of one event: facts, four channels over time, and where they came from. */
export class WaveformPanel {
  #title = byId('recording-title', HTMLElement)
  #source = byId('recording-source', HTMLElement)
  #facts = byId('recording-facts', HTMLElement)
  #note = byId('recording-note', HTMLElement)
  #failure = byId('recording-failure', HTMLElement)
  #refresh = byId('refresh-recording', HTMLButtonElement)
  #plots = new Plots(byId('plots', HTMLElement))
  #progress = new ProgressBar()
  #onChange
  /** @type {Unit | undefined} */
  #unit = undefined
  /** @type {number | undefined} */
  #index = undefined
  /** @type {Answer | undefined} */
  #answer = undefined
  /** @type {Recording | undefined} */
  #recording = undefined
  /** @type {Failure | undefined} */
  #problem = undefined
  /** @type {AbortController | undefined} */
  #asking = undefined

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.#onChange = onChange
    this.#source.after(this.#progress.node)
    this.#refresh.addEventListener('click', () => void this.#ask(true))
  }

  get isAsking() {
    return this.#asking !== undefined
  }

  /**
   * Asks for the recording of another event; the same one is left as it is.
   *
   * @param {Unit | undefined} unit
   * @param {number | undefined} index
   */
  choose(unit, index) {
    if (unit === this.#unit && index === this.#index) return
    this.#unit = unit
    this.#index = index
    this.#took(undefined)
    // The gateway goes on with the download and keeps it: giving up here frees the browser's connection only.
    this.#asking?.abort()
    this.#asking = undefined
    if (unit && index !== undefined) void this.#ask(false)
  }

  /** @param {Downloads} downloads */
  show(downloads) {
    const [unit, index] = [this.#unit, this.#index]
    if (!unit || index === undefined) return
    // Only the list knows of the project.
    const header = { ...unit.events?.find((event) => event['index'] === index), ...this.#answer?.body }
    const type = header['record_type']
    setText(this.#title, `Event ${index}${type === undefined ? '' : `, ${text(type)}`}`)
    showSource(this.#source, sourceOf(this.#answer, undefined), this.isAsking ? 'asking …' : '')
    setFacts(this.#facts, factsOf(header, this.#recording))
    const note = type === 'histogram' ? HISTOGRAM_NOTE : this.#answer && !this.#recording ? NO_SAMPLES_NOTE : ''
    setText(this.#note, note)
    setAttribute(this.#note, 'hidden', note === '')
    setText(this.#failure, this.#problem ? `${this.#answer ? 'The refresh failed. ' : ''}${this.#problem.words}` : '')
    setAttribute(this.#failure, 'hidden', !this.#problem)
    setAttribute(this.#refresh, 'disabled', this.isAsking)
    this.#progress.show(downloads.of(unit.key, 'waveform', index))
  }

  /** @param {boolean} isForced */
  async #ask(isForced) {
    const asking = new AbortController()
    this.#asking = asking
    this.#problem = undefined
    this.#onChange()
    const question = { unit: /** @type {Unit} */ (this.#unit).key, isForced, signal: asking.signal }
    try {
      const answer = await answerOf(`/device/event/${this.#index}/waveform`, question)
      if (this.#asking === asking) this.#took(answer)
    } catch (error) {
      if (this.#asking === asking) this.#problem = failureOf(error)
    }
    if (this.#asking === asking) this.#asking = undefined
    this.#onChange()
  }

  /** @param {Answer | undefined} answer */
  #took(answer) {
    this.#answer = answer
    this.#recording = answer && recordingOf(answer.body)
    this.#problem = undefined
    this.#plots.show(this.#recording)
  }
}

/**
 * @param {Body} header
 * @param {Recording | undefined} recording
 * @returns {(readonly [name: string, value: string])[]}
 */
function factsOf(header, recording) {
  const project = typeof header['project'] === 'object' ? /** @type {Body | null} */ (header['project']) : null
  return [
    ['Time of the unit', eventTime(header['timestamp'])],
    ['Key', text(header['waveform_key'])],
    ...Object.entries(project ?? {}).map(([name, value]) => /** @type {const} */ ([name, text(value)])),
    ...(recording ? recordingFacts(recording) : []),
  ]
}

/**
 * @param {Recording} recording
 * @returns {(readonly [name: string, value: string])[]}
 */
function recordingFacts({ type, step, pretrigger, times }) {
  const length = times.length * step
  if (type === 'histogram') {
    return [
      ['Interval', duration(step)],
      ['Length', duration(length)],
    ]
  }
  return [
    ['Rate', `${quantity(1 / step)} samples/s`],
    ['Length', quantity(length, 's')],
    ['Before the trigger', quantity(pretrigger, 's')],
  ]
}
