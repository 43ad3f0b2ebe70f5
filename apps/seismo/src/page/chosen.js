// @ts-check
import { byId, setAttribute, setFacts, setText } from './element.js'
import { counted, quantity, text } from './format.js'
import { showSource, sourceOf } from './source.js'

/**
 * @typedef {import('./api.js').Body} Body
 * @typedef {import('./unit.js').Unit} Unit
 */

/** The unit that is looked at: what it says of itself, and what can be done to it. */
export class ChosenUnit {
  #title = byId('unit-title', HTMLElement)
  #facts = byId('unit-facts', HTMLElement)
  #source = byId('info-source', HTMLElement)
  #failure = byId('info-failure', HTMLElement)
  #refresh = byId('refresh-info', HTMLButtonElement)
  #erase = byId('erase', HTMLButtonElement)
  #dialog = byId('erase-dialog', HTMLDialogElement)
  #question = byId('erase-question', HTMLElement)
  /** @type {Unit | undefined} */
  #unit = undefined

  /** @param {(unit: Unit) => void} onErase once it was confirmed */
  constructor(onErase) {
    this.#refresh.addEventListener('click', () => {
      void this.#unit?.ask('info', true)
      void this.#unit?.ask('status', true)
    })
    /** The unit the question was asked about, whatever is chosen by the time it is answered. @type {Unit | undefined} */
    let asked = undefined
    this.#erase.addEventListener('click', () => {
      asked = this.#unit
      if (!asked) return
      setText(this.#question, questionOf(asked))
      this.#dialog.returnValue = ''
      this.#dialog.showModal()
    })
    this.#dialog.addEventListener('close', () => {
      if (asked && this.#dialog.returnValue === 'erase') onErase(asked)
      asked = undefined
    })
  }

  /** @param {Unit} unit */
  show(unit) {
    this.#unit = unit
    const { info } = unit.answers
    const { failures, answers } = unit
    const why = (failures.info ?? failures.status)?.words ?? answers.status?.source.error
    const isForced = ['info', 'status'].some((kind) => unit.asking.get(/** @type {'info'} */ (kind))?.isForced)
    setText(this.#title, unit.name)
    setFacts(this.#facts, factsOf(unit, info?.body ?? {}))
    showSource(this.#source, sourceOf(info, unit.failures.info), unit.asking.has('info') ? 'asking the unit …' : '')
    setText(this.#failure, why ?? '')
    setAttribute(this.#failure, 'hidden', why === undefined)
    setAttribute(this.#refresh, 'disabled', isForced)
    setAttribute(this.#erase, 'disabled', unit.isChanging)
  }
}

/** @param {Unit} unit */
function questionOf(unit) {
  const count = unit.events?.length ?? unit.stored.count
  return (
    `${unit.name} at ${unit.address} forgets ${count > 0 ? `its ${counted(count, 'event')}` : 'all its events'} for good, ` +
    `with their recordings, and the cache drops what it has of them. This cannot be undone.`
  )
}

/**
 * @param {Unit} unit
 * @param {Body} info
 * @returns {(readonly [name: string, value: string])[]}
 */
function factsOf(unit, { model, firmware, compliance }) {
  const settings = typeof compliance === 'object' && compliance !== null ? /** @type {Body} */ (compliance) : {}
  return [
    ['Address', unit.address],
    ['Model', text(model)],
    ['Firmware', text(firmware)],
    ['Project', text(settings['project'])],
    ['Client', text(settings['client'])],
    ['Operator', text(settings['operator'])],
    ['Location', text(settings['location'])],
    ['Rate', quantity(settings['sample_rate'], 'samples/s')],
    ['Records', quantity(settings['record_seconds'], 's')],
    ['Trigger', quantity(settings['trigger_level'], 'in/s')],
  ]
}
