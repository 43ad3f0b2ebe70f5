import { createHash } from 'node:crypto'

/** Longer keys are named by their hash; the frame then holds the key itself. */
const FIELD_CHARACTERS_MAX = 512

/** What one entry is called among a name's rows: its key, or the hash of a long one. */
export function fieldOf(id: string): string {
  return id.length <= FIELD_CHARACTERS_MAX ? `k${id}` : `h${createHash('sha256').update(id).digest('base64url')}`
}

/** The key a field stands for, where it is short enough to be the field. */
export function idOfField(field: string): string | undefined {
  return field.startsWith('k') ? field.slice(1) : undefined
}
