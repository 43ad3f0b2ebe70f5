// @ts-check
// The files page: what is kept of waveforms, by unit and time.

import { failureOf } from '../page/api.js'
import { byId, setAttribute, setText } from '../page/element.js'
import { FilePanel } from './detail.js'
import { typedIn } from './fields.js'
import { FileList } from './list.js'
import { readHash } from './place.js'

const list = new FileList((error) => complain(failureOf(error).words))
const panel = new FilePanel((review) => list.reviewed(location.hash, review))
const filter = byId('filter', HTMLFormElement)

addEventListener('hashchange', go)
filter.addEventListener('submit', (event) => {
  event.preventDefault()
  search()
})
search()
go()

function search() {
  complain('')
  const fields = new FormData(filter)
  void list.search({ serial: typedIn(fields, 'serial'), from: typedIn(fields, 'from'), to: typedIn(fields, 'to') })
}

function go() {
  const place = readHash(location.hash)
  list.choose(location.hash)
  void panel.choose(place)
  document.title = place ? `${place.filename} · Event files` : 'Event files · Seismograph gateway'
}

/** @param {string} words */
function complain(words) {
  setText(byId('failure', HTMLElement), words)
  setAttribute(byId('failure', HTMLElement), 'hidden', words === '')
}
