import type { JsonObject } from '../cache/record.ts'

/** What a person may say of a recording, and how it is checked. */
const FIELDS = {
  /** Somebody looked at it. */
  reviewed: { expected: 'true or false', fits: isFlag },
  /** It was no blast: a door, a truck, thunder. */
  false_trigger: { expected: 'true or false', fits: isFlag },
  /** It does not count in reports. */
  excluded: { expected: 'true or false', fits: isFlag },
  reviewer: { expected: 'a text of at most 100 characters', fits: (value: unknown) => isText(value, 100) },
  note: { expected: 'a text of at most 2000 characters', fits: (value: unknown) => isText(value, 2000) },
} as const

/** What does not fit in a review. */
export interface ReviewProblem {
  readonly field: string
  readonly expected: string
  readonly got: unknown
}

/** The names of the fields of a review. */
export const REVIEW_FIELDS: readonly string[] = Object.keys(FIELDS)

/** Looks at a change of a review: fields that are `null` are removed. Returns what does not fit. */
export function problemOf(review: JsonObject): ReviewProblem | undefined {
  if (Object.keys(review).length === 0)
    return { field: 'body', expected: `an object with some of ${REVIEW_FIELDS.join(', ')}`, got: review }
  for (const [field, value] of Object.entries(review)) {
    const known = Object.hasOwn(FIELDS, field) ? FIELDS[field as keyof typeof FIELDS] : undefined
    if (!known) return { field, expected: `one of ${REVIEW_FIELDS.join(', ')}`, got: field }
    if (value !== null && !known.fits(value)) return { field, expected: `${known.expected}, or null`, got: value }
  }
  return undefined
}

function isFlag(value: unknown): boolean {
  return typeof value === 'boolean'
}

function isText(value: unknown, charactersMax: number): boolean {
  // A line may end; nothing else in a text may steer a terminal or a page.
  return typeof value === 'string' && value.length <= charactersMax && !/[^\P{Cc}\n\t]/u.test(value)
}
