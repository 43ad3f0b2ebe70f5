import type { Builds } from './builds.ts'
import type { Held } from './held.ts'
import type { Section, ViewSettings } from './options.ts'
import type { Answer } from './snapshot.ts'

/** Why one section is as it is. */
export interface SectionExplanation {
  readonly section: string
  /** `same`: it holds; `moved`: its revision is another one, or somebody said so, or it is too old; `absent`: it was never built. */
  readonly state: 'same' | 'moved' | 'absent' | 'unknown'
  /** The revision it was built from. */
  readonly revision: string | undefined
  /** Its revision now; `undefined` when nobody could say. */
  readonly current: string | undefined
  readonly builtAt: number | undefined
  /** Until when it is known to have been right, milliseconds since 1970. */
  readonly asOf: number | undefined
  /** Somebody said that it has changed. */
  readonly isInvalidated: boolean
  readonly rebuild: 'behind' | 'now'
  readonly tables: readonly string[]
  /** What its revision cannot see. */
  readonly caveat: string | undefined
}

/** Why a view is as it is. */
export interface ViewExplanation {
  readonly name: string
  /** When it was asked; milliseconds since 1970, as all times here. */
  readonly now: number
  /** What a read would be answered with. */
  readonly status: 'hit' | 'partial' | 'stale' | 'miss'
  /** One sentence for a person. */
  readonly reason: string
  readonly sections: readonly SectionExplanation[]
  /** How long what has moved may have been out of date at most, in milliseconds. */
  readonly staleFor: number
  /** The build in progress, if there is one. */
  readonly loading: { readonly since: number } | undefined
  /** The last failed build since one succeeded: none is tried behind readers before `retryAt`. */
  readonly lastFailure: { readonly error: unknown; readonly failures: number; readonly retryAt: number } | undefined
  /** Why the revisions could not be told, if they could not. */
  readonly error?: unknown
}

/** Says what a reader would get now. */
export function explainView<V>(
  settings: ViewSettings<V>,
  now: number,
  held: Held<V>,
  builds: Builds<V>,
  asked: { readonly answer: Answer } | { readonly error: unknown },
): ViewExplanation {
  const answer = 'answer' in asked ? asked.answer : undefined
  const moved = answer ? held.moved(answer, held.nextTurn()) : settings.sections
  const staleFor = moved.length === 0 ? 0 : held.staleForMs(moved, answer)
  const failure = builds.backoff.last('build')
  const status = statusOf(settings, held, answer, moved, staleFor)
  return {
    name: settings.name,
    now,
    status,
    reason: `${sentence(status, answer, moved, staleFor)}${failure ? '; the last build failed' : ''}.`,
    sections: settings.sections.map((section) => sectionOf(section, held, answer, moved)),
    staleFor,
    loading: builds.since === undefined ? undefined : { since: builds.since },
    lastFailure: failure && { error: failure.error, failures: failure.failures, retryAt: failure.retryAt },
    ...('error' in asked ? { error: asked.error } : undefined),
  }
}

function sectionOf<V>(
  section: Section,
  held: Held<V>,
  answer: Answer | undefined,
  moved: readonly Section[],
): SectionExplanation {
  const { name, revision, tables, isBehind } = section
  const built = held.snapshot?.sections.get(name)
  const state = answer === undefined ? 'unknown' : moved.includes(section) ? 'moved' : 'same'
  return {
    section: name,
    state: built ? state : 'absent',
    revision: built?.revision,
    current: answer?.revisions.get(name),
    builtAt: built?.builtAt,
    asOf: built?.asOf,
    isInvalidated: held.isMarked(name),
    rebuild: isBehind ? 'behind' : 'now',
    tables,
    caveat: typeof revision === 'object' ? revision.caveat : undefined,
  }
}

function statusOf<V>(
  { maxStaleMs }: ViewSettings<V>,
  { snapshot }: Held<V>,
  answer: Answer | undefined,
  moved: readonly Section[],
  staleFor: number,
): ViewExplanation['status'] {
  if (!snapshot) return 'miss'
  if (moved.length === 0) return 'hit'
  if (answer && moved.every(({ isBehind }) => !isBehind)) return 'partial'
  return staleFor < maxStaleMs ? 'stale' : 'miss'
}

function sentence(
  status: ViewExplanation['status'],
  answer: Answer | undefined,
  moved: readonly Section[],
  staleFor: number,
): string {
  const names = moved.map(({ name }) => name).join(', ')
  if (status === 'hit') return 'Nothing has moved; a read gets the snapshot'
  if (status === 'miss' && staleFor === Number.POSITIVE_INFINITY)
    return 'There is no snapshot; a read waits for a build'
  if (!answer)
    return `Nobody can say what has moved in the last ${staleFor} ms; a read ${status === 'stale' ? 'gets the last snapshot' : 'waits'}`
  if (status === 'partial') return `${names} moved; a read waits for that, and gets the rest as it is`
  if (status === 'stale')
    return `${names} moved within the last ${staleFor} ms; a read gets the last snapshot, and builds behind it`
  return `${names} may have moved ${staleFor} ms ago; a read waits for a build`
}
