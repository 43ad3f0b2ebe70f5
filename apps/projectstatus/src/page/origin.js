// @ts-check
import { byId, element, setText } from './element.js'

/**
 * @typedef {import('./api.js').Answer} Answer
 * @typedef {import('../http/origin.ts').Origin} Origin
 */

/** @type {Readonly<Record<string, string>>} */
const WARNINGS = {
  cache_stale: 'older than 15 minutes',
  cache_last_resort: 'a last resort',
  database_unavailable: 'PostgreSQL is away',
}
const ANSWERS_MAX = 50

/**
 * Where something is from, in words: `from the cache, 12 s old; PostgreSQL is away`.
 *
 * @param {Origin} origin
 */
export function wordsOf({ data_source: source, cache_age_seconds: age, warnings }) {
  if (source === 'postgresql') return 'from PostgreSQL'
  return [`from the cache, ${age} s old`, ...warnings.flatMap((it) => WARNINGS[it] ?? [])].join('; ')
}

/**
 * Says beside a list where it is from.
 *
 * @param {string} list
 * @param {Origin} origin
 */
export function showOrigin(list, origin) {
  const place = byId(`${list}-origin`, HTMLElement)
  setText(place, wordsOf(origin))
  place.className = `origin ${origin.data_source}`
}

/**
 * Adds an answer to the list of the latest.
 *
 * @param {Answer} answer
 */
export function noteAnswer({ path, status, body, tookMs }) {
  if (path === 'GET /health') return
  const from = body.data_source === undefined ? (body.error?.code ?? '') : wordsOf(body)
  const line = element(
    'li',
    {},
    element('span', {}, `${path} → ${status}`),
    element(
      'span',
      { class: body.data_source ?? 'muted' },
      [from, `${Math.round(tookMs)} ms`].filter(Boolean).join(', '),
    ),
  )
  const answers = byId('answers', HTMLOListElement)
  answers.prepend(line)
  while (answers.children.length > ANSWERS_MAX) answers.lastElementChild?.remove()
}
