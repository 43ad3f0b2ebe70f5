import type { Json } from '../database/records.ts'

/** Deeper than anything people write; far from where what walks through it runs out of stack. */
const DEPTH_MAX = 100

/** Whether PostgreSQL keeps a text as it is: it has no NUL, and no half of a character that takes two. */
export function isKeepable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** What of a value `jsonb` would refuse or change, in words that go on after what was expected; `undefined`: nothing. */
export function whyNotKeepable(json: Json): string | undefined {
  let level: Json[] = [json]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) return `that is at most ${DEPTH_MAX} levels deep`
    const below: Json[] = []
    for (const value of level) {
      if (typeof value === 'number' && !Number.isFinite(value)) return 'of numbers that a double can hold'
      if (typeof value === 'string' && !isKeepable(value)) return 'of whole characters without NUL'
      if (typeof value !== 'object' || value === null) continue
      if (!Object.keys(value).every(isKeepable)) return 'of whole characters without NUL'
      for (const part of Object.values(value)) below.push(part)
    }
    level = below
  }
  return undefined
}
