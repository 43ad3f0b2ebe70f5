// @ts-check
// The page: what the gateway knows of its units, drawn anew once a second and whenever something is heard.

import { failureOf } from './api.js'
import { ChosenUnit } from './chosen.js'
import { Downloads } from './downloads.js'
import { byId, setAttribute, setText } from './element.js'
import { EventTable } from './events.js'
import { FleetTable } from './fleet.js'
import { counted } from './format.js'
import { readPlace, writePlace } from './place.js'
import { Units } from './units.js'
import { WaveformPanel } from './waveform.js'

/**
 * @typedef {import('./unit.js').Unit} Unit
 */

const TICK_MS = 1000
/** What is answered sooner needs no progress bar. */
const SOON_MS = 400
/** Where panes lie below each other. */
const NARROW = matchMedia('(max-width: 1099px)')

const units = new Units(draw)
const downloads = new Downloads(draw)
const fleet = new FleetTable(byId('fleet-rows', HTMLTableSectionElement), (unit, isOn) =>
  attempt(`Monitoring of ${unit.name} could not be ${isOn ? 'started' : 'stopped'}.`, unit.setMonitoring(isOn)),
)
const chosen = new ChosenUnit((unit) => attempt(`${unit.name} was not erased.`, unit.erase()))
const events = new EventTable()
const waveform = new WaveformPanel(draw)

let place = readPlace(location.hash)
/** The era of the chosen unit that the chosen event belongs to. @type {number | undefined} */
let era
let isDrawing = false

addEventListener('hashchange', () => go())
document.addEventListener('visibilitychange', tick)
byId('dismiss', HTMLButtonElement).addEventListener('click', () => complain(''))
setInterval(tick, TICK_MS)
go()
tick()

function tick() {
  if (document.visibilityState !== 'visible') return
  units.poll(place.unit)
  draw()
}

function go() {
  const before = place.unit
  place = readPlace(location.hash)
  const unit = place.unit === undefined ? undefined : units.of(place.unit)
  era = unit?.era
  waveform.choose(unit, place.event)
  if (unit && (unit.key !== before || !unit.events)) void unit.ask('events')
  drawNow()
  fleet.reveal(place.unit)
  if (!NARROW.matches || !unit) return
  // What was chosen is further down than the eye: bring it up.
  if (place.event !== undefined) byId('recording', HTMLElement).scrollIntoView()
  else if (unit.key !== before) byId('unit', HTMLElement).scrollIntoView()
}

/** Draws before the next frame, once for all that was heard until then. */
function draw() {
  if (isDrawing) return
  isDrawing = true
  requestAnimationFrame(() => {
    isDrawing = false
    drawNow()
  })
}

function drawNow() {
  const unit = place.unit === undefined ? undefined : units.of(place.unit)
  if (unit && place.event !== undefined && unit.era !== era) {
    // The index names another event now, or none.
    era = unit.era
    return location.replace(writePlace(unit.key))
  }
  const { list, failure, isKnown } = units
  setText(byId('summary', HTMLElement), isKnown ? summaryOf(list) : 'asking the gateway …')
  setText(byId('gateway-failure', HTMLElement), failure?.words ?? '')
  setAttribute(byId('gateway-failure', HTMLElement), 'hidden', !failure)
  setAttribute(byId('no-units', HTMLElement), 'hidden', !isKnown || list.length > 0)
  setAttribute(byId('fleet-table', HTMLElement), 'hidden', list.length === 0)
  setAttribute(document.body, 'data-choice', unit !== undefined)
  fleet.show(list, unit?.key, downloads)
  setAttribute(byId('unit', HTMLElement), 'hidden', !unit)
  setAttribute(byId('recording', HTMLElement), 'data-empty', place.event === undefined)
  if (unit) {
    chosen.show(unit)
    events.show(unit, place.event, downloads)
    waveform.show(downloads)
  }
  document.title = unit ? `${unit.name} · Seismograph gateway` : 'Seismograph gateway'
  void downloads.follow(isLongAsking)
}

/** Something is under way that may take a unit seconds. */
function isLongAsking() {
  const before = performance.now() - SOON_MS
  /** @param {Unit} unit */
  const isAsked = ({ asking }) => (asking.get('events')?.startedMs ?? Number.POSITIVE_INFINITY) < before
  return waveform.isAsking || units.list.some((unit) => isAsked(unit) || unit.line > 1)
}

/** @param {readonly Unit[]} list */
function summaryOf(list) {
  const monitoring = list.filter(({ answers }) => answers.status?.body['is_monitoring'] === true).length
  const away = list.filter(
    ({ answers: { status }, failures }) => failures.status ?? status?.source.reason === 'source-unavailable',
  ).length
  return [
    counted(list.length, 'unit'),
    `${monitoring} monitoring`,
    ...(away > 0 ? [`${away} cannot be reached`] : []),
  ].join(' · ')
}

/**
 * Says in words when what was asked for could not be done.
 *
 * @param {string} what
 * @param {Promise<unknown>} done
 */
function attempt(what, done) {
  complain('')
  done.catch((error) => complain(`${what} ${failureOf(error).words}`))
}

/** @param {string} words */
function complain(words) {
  setText(byId('complaint-words', HTMLElement), words)
  setAttribute(byId('complaint', HTMLElement), 'hidden', words === '')
}
