import { TidemarkError, describe } from '../errors.ts'

/** The frames of an artifact are named like it, with this behind. Nothing a caller gives may end like it. */
export const FRAMES_SUFFIX = '.frames'
/** The same of its sidecar. */
export const SIDECAR_SUFFIX = '.event.json'

/** Room for the longest suffix and mark below the 255 bytes a file system takes. */
const NAME_CHARACTERS_MAX = 200
/** No separator, drive, stream, control character, blank or second spelling of one letter can get in. */
const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._+@=,-]*$/
/** Names that are devices on Windows, with any extension. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i
/** What a change of files is called while it is under way. */
const MARK = /\.(?:tmp|commit|gone)-/

/**
 * A folder or file name as one part of a path and nothing more (contract C7, `names-are-not-paths`). It is refused, never
 * corrected: two names must not become one.
 *
 * @throws TidemarkError `artifact-name`
 */
export function checkName(what: 'folder' | 'filename', name: unknown): string {
  const complaint = complaintOf(name)
  if (complaint === undefined) return name as string
  throw new TidemarkError('artifact-name', `Expected \`${what}\` to be ${complaint}, got ${describe(name)}.`, {
    data: { [what]: typeof name === 'string' ? name.slice(0, NAME_CHARACTERS_MAX) : typeof name },
  })
}

/** True when {@link checkName} takes it: what else lies in a folder is not ours. */
export function isName(name: string): boolean {
  return complaintOf(name) === undefined
}

function complaintOf(name: unknown): string | undefined {
  if (typeof name !== 'string') return 'a string'
  if (name.length > NAME_CHARACTERS_MAX) return `a name of at most ${NAME_CHARACTERS_MAX} characters`
  if (!SEGMENT.test(name)) return 'a name of letters, digits and . _ - + = @ , that begins with a letter or digit'
  if (name.endsWith('.')) return 'a name that does not end with a dot'
  if (DEVICE.test(name)) return 'a name that is no device of Windows'
  const lower = name.toLowerCase()
  if (lower.endsWith(FRAMES_SUFFIX) || lower.endsWith(SIDECAR_SUFFIX) || MARK.test(lower))
    return `a name that is none of a sidecar (${FRAMES_SUFFIX}, ${SIDECAR_SUFFIX}) or of a change under way`
  return undefined
}
