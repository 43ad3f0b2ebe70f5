// @ts-check
// Where an answer came from and how old it is, in plain words.

import { setAttribute, setText } from './element.js'
import { counted, duration } from './format.js'

/**
 * @typedef {import('./api.js').Answer} Answer
 * @typedef {import('./api.js').Failure} Failure
 * @typedef {'unit' | 'cache' | 'stale' | 'failed'} Kind
 */

/** @type {Readonly<Record<string, string>>} */
const REASONS = {
  'unit-refused': 'unit cannot be reached',
  'unit-unreachable': 'unit cannot be reached',
  'source-unavailable': 'unit cannot be reached',
  'source-slow': 'unit has not answered yet',
}
/** Younger than this is "just now", seconds. */
const NOW_SECONDS = 2

/**
 * Seconds since the unit said it; goes on while the page is looked at.
 *
 * @param {Answer} answer
 * @returns {number}
 */
export function ageOf({ source, receivedMs }) {
  return source.age_seconds + Math.max(0, performance.now() - receivedMs) / 1000
}

/**
 * What is known, and where from; `failure` is why the unit did not answer the last time it was asked.
 *
 * @param {Answer | undefined} answer
 * @param {Failure | undefined} failure
 * @returns {{ kind: Kind, words: string, why: string | undefined } | undefined}
 */
export function sourceOf(answer, failure) {
  if (failure) {
    const words = answer ? `STALE: ${REASONS[failure.code] ?? 'not answered'}; ${lastKnown(answer)}` : failure.message
    return { kind: answer ? 'stale' : 'failed', words, why: failure.words }
  }
  if (!answer) return undefined
  const { state, reason, tier, error: why } = answer.source
  if (state === 'stale') return { kind: 'stale', words: `STALE: ${staleWords(reason, answer)}`, why }
  if (tier === 'source') return { kind: 'unit', words: unitWords(answer), why }
  return { kind: 'cache', words: `from the cache (${tier}), ${duration(ageOf(answer))} old`, why }
}

/**
 * Shows the source in an element, marked so that stale stands out.
 *
 * @param {HTMLElement} node
 * @param {ReturnType<typeof sourceOf>} source
 * @param {string} [otherwise] when nothing is known
 */
export function showSource(node, source, otherwise = '') {
  node.classList.add('source')
  setAttribute(node, 'data-source', source?.kind)
  setAttribute(node, 'title', source?.why)
  setText(node, source?.words ?? otherwise)
}

/**
 * @param {string} reason
 * @param {Answer} answer
 */
function staleWords(reason, answer) {
  const why = REASONS[reason]
  return why === undefined ? `${lastKnown(answer)}; the unit is asked again` : `${why}; ${lastKnown(answer)}`
}

/** @param {Answer} answer */
function unitWords(answer) {
  const { added, count } = /** @type {{ added?: number, count?: number }} */ (answer.body)
  // Of a list only the count and what is new came from the unit, unless all of it was asked for.
  if (answer.isForced || added === undefined || count === undefined || added >= count)
    return `from the unit ${ago(answer)}`
  if (added === 0) return `list from the cache, checked with the unit ${ago(answer)}`
  return `${counted(added, 'event')} from the unit ${ago(answer)}, the others from the cache`
}

/** @param {Answer} answer */
function lastKnown(answer) {
  return `last known ${ago(answer)}`
}

/** @param {Answer} answer */
function ago(answer) {
  const age = ageOf(answer)
  return age < NOW_SECONDS ? 'just now' : `${duration(age)} ago`
}
