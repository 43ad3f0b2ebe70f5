import { TidemarkError, refuseUnknown } from '../errors.ts'
import { jsonCopy, mergePatch, type JsonObject } from './json.ts'
import type { ArtifactInfo } from './sidecar.ts'

/** What is said of an artifact after it was saved. Each is merged into what is there. */
export interface Annotation {
  /** What people say of it. */
  readonly review?: JsonObject | undefined
  /** What other programs add. */
  readonly extensions?: JsonObject | undefined
}

const NOTE_BYTES_MAX = 64 * 1024

/** Errors: `unknown-option`, `invalid-value`. */
export function checkNote(note: Annotation): void {
  refuseUnknown('annotate()', note, ['review', 'extensions'])
  if (note.review === undefined && note.extensions === undefined)
    throw new TidemarkError('invalid-value', 'Expected `review` or `extensions` to change, got neither.', {
      hint: 'Give an object with the fields to change; null removes one.',
    })
}

/** The artifact as it is with the note. Errors: `invalid-value` for one that is no JSON, or too large. */
export function annotated(info: ArtifactInfo, { review, extensions }: Annotation): ArtifactInfo {
  return {
    ...info,
    review: merged(info.review, review, 'review'),
    extensions: merged(info.extensions, extensions, 'extensions'),
  }
}

function merged(before: JsonObject, patch: JsonObject | undefined, what: string): JsonObject {
  if (patch === undefined) return before
  return jsonCopy(mergePatch(before, jsonCopy(patch, what, NOTE_BYTES_MAX)), what, NOTE_BYTES_MAX)
}
