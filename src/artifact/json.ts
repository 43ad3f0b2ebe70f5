import type { Identity } from '../entry.ts'
import { TidemarkError, describe } from '../errors.ts'

/** Deeper ones take more room in space before their lines than in what they say. */
const DEPTH_MAX = 100

/** A JSON object. */
export type JsonObject = Readonly<Record<string, unknown>>

/** True for a JSON object as `JSON.parse` makes them. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** True for an identity as JSON brings it back: what was unknown is `null`. */
export function isIdentity(value: unknown): value is Identity {
  return (
    Array.isArray(value) && value.every((part) => part === null || typeof part === 'string' || typeof part === 'number')
  )
}

/**
 * A copy of an object as JSON keeps it; `what` names it in the message.
 *
 * @throws TidemarkError `invalid-value` for what is no object, holds itself, is too large or too deep
 */
export function jsonCopy(value: unknown, what: string, maxBytes: number): JsonObject {
  const text = isJsonObject(value) ? stringify(value) : undefined
  const copy: unknown = text === undefined ? undefined : JSON.parse(text)
  if (!isJsonObject(copy)) throw invalid(`Expected ${what} to be a JSON object, got ${describe(value)}.`)
  const bytes = Buffer.byteLength(text as string)
  if (bytes > maxBytes) throw invalid(`Expected ${what} to have at most ${maxBytes} bytes as JSON, got ${bytes}.`)
  const depth = depthOf(text as string)
  if (depth > DEPTH_MAX) throw invalid(`Expected ${what} to be at most ${DEPTH_MAX} levels deep, got ${depth}.`)
  return copy
}

/** Counted in the text: walking something that deep could exhaust the stack. */
function depthOf(text: string): number {
  let [depth, deepest] = [0, 0]
  for (const [sign] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[[\]{}]/g)) {
    if (sign === '{' || sign === '[') deepest = Math.max(deepest, ++depth)
    else if (sign === '}' || sign === ']') depth--
  }
  return deepest
}

/** `target` changed by a merge patch (RFC 7396): objects are merged field by field, `null` removes a field. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch
  // By entries, not by assignment: a field called __proto__ stays a field.
  const merged = new Map(Object.entries(isJsonObject(target) ? target : {}))
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) merged.delete(field)
    else merged.set(field, mergePatch(merged.get(field), value))
  }
  return Object.fromEntries(merged)
}

function stringify(value: JsonObject): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

function invalid(message: string): TidemarkError {
  return new TidemarkError('invalid-value', message, {
    hint: 'Give what JSON can hold: objects, arrays, texts, finite numbers, true, false, null.',
  })
}
