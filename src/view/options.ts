import { durationMs, type Duration } from '../duration.ts'
import { invalidOption, refuseUnknown } from '../errors.ts'
import type { Context } from '../load/context.ts'
import { resolveTimeout, type TimeoutOptions } from '../load/timeout.ts'
import { isRevision, type Revision } from '../revision.ts'
import { checkTables } from '../source/tables.ts'

/** What the builder of a section gets. */
export interface BuildContext {
  /** Aborted at the hard timeout, when another section of the same build fails, and when the cache is closed. */
  readonly signal: AbortSignal
  /** The values of the sections this one depends on. `unknown`, so that the types of the values come from the builders. */
  readonly sections: Readonly<Record<string, unknown>>
  /** The revision that was read before this build began. */
  readonly revision: string
  /** The value this section had until now, if it had one. */
  readonly previous: unknown
  /** Tells listeners how far a long build has come (event `progress`). */
  readonly progress: (done: number, total: number) => void
}

/** One section of a view. */
export interface SectionOptions<T> {
  /** The fingerprint of what it is built from. May be left out by a section that depends on others only. */
  readonly revision?: Revision | undefined
  /** Sections it is built from: when one of them moves, so does this one. */
  readonly dependsOn?: readonly string[] | undefined
  /** The tables it is built from, for write hooks. Defaults to those its revision speaks for. */
  readonly tables?: readonly string[] | undefined
  /**
   * What a reader gets when this section has moved: `behind`: the last snapshot at once, while it is rebuilt behind the
   * reader; `now`: the reader waits for it, for sections that are quickly built. Defaults to `behind` for the first section,
   * and to `now` for the others.
   */
  readonly rebuild?: 'behind' | 'now' | undefined
  /** Builds the value from the source, reading it after `revision` was read. `undefined` is refused. */
  readonly build: (context: BuildContext) => T | Promise<T>
}

/** Options of `tide.view`. `S`: the values of the sections by name; `V`: what is made of them. */
export interface ViewOptions<S extends object, V = S> {
  /** Names the view in stats, events and the stored entries. */
  readonly name: string
  /** Its parts, each with a revision of its own; the main one first. */
  readonly sections: { readonly [N in keyof S]: SectionOptions<S[N]> }
  /** Makes the value of the sections' values. Called once a build. Defaults to an object with a property for each section. */
  readonly combine?: ((sections: Readonly<S>) => V) | undefined
  /**
   * What of the value its entity tag is made of, besides the revision: anything that can be cached. Defaults to all of it.
   * A time that builders put into the value is better left out: the tag would differ from process to process, and change
   * with every build.
   */
  readonly etag?: ((value: V) => unknown) | undefined
  /** How long after a change the snapshot from before it may still be handed out. Defaults to 5 minutes. */
  readonly maxStale?: Duration | undefined
  /** Sections older than this count as changed, whatever their revisions say. Defaults to `Infinity`. */
  readonly maxAge?: Duration | undefined
  /** How long after a change the old snapshot may be handed out when the source fails. Defaults to `maxStale`. */
  readonly staleIfError?: Duration | undefined
  /** Raise it when builders make something else of the same data: stored snapshots of another version are not used. */
  readonly version?: string | number | undefined
  /**
   * `soft` (default 250 ms): after this a reader gets the last snapshot, if it may still be handed out, when revisions or
   * a section rebuilt `now` are slow. `hard` (default 30 s): after this a build is given up.
   */
  readonly timeout?: TimeoutOptions | undefined
}

/** A section, checked and completed. */
export interface Section {
  readonly name: string
  readonly revision: Revision | undefined
  readonly dependsOn: readonly string[]
  readonly tables: readonly string[]
  readonly isBehind: boolean
  readonly build: (context: BuildContext) => unknown
}

/** The options of a view, checked and completed. */
export interface ViewSettings<V> {
  readonly name: string
  /** Every section after those it depends on. */
  readonly sections: readonly Section[]
  readonly combine: ((sections: Readonly<Record<string, unknown>>) => V) | undefined
  readonly etag: ((value: unknown) => unknown) | undefined
  readonly maxStaleMs: number
  readonly maxAgeMs: number
  /** Never less than `maxStaleMs`. */
  readonly errorMs: number
  readonly version: string
  readonly softMs: number
  readonly hardMs: number
}

const DEFAULT_MAX_STALE_MS = 300_000
const DEFAULT_SOFT_MS = 250
const OPTION_NAMES = [
  'name',
  'sections',
  'combine',
  'etag',
  'maxStale',
  'maxAge',
  'staleIfError',
  'version',
  'timeout',
] as const
const SECTION_OPTION_NAMES = ['revision', 'dependsOn', 'tables', 'rebuild', 'build'] as const

/** Errors: `invalid-option`, `unknown-option`, `invalid-duration`, `name-taken`. */
export function resolveView<S extends object, V>(options: ViewOptions<S, V>, context: Context): ViewSettings<V> {
  refuseUnknown('view()', options, OPTION_NAMES)
  const { combine, etag, version = '' } = options
  if (combine !== undefined && typeof combine !== 'function') throw invalidOption('view.combine', 'a function', combine)
  if (etag !== undefined && typeof etag !== 'function') throw invalidOption('view.etag', 'a function', etag)
  if (typeof version !== 'string' && typeof version !== 'number')
    throw invalidOption('view.version', 'a string or a number', version)
  const sections = resolveSections(options.sections)
  const { softMs, hardMs } = resolveTimeout(options.timeout, 'view.timeout')
  const maxStaleMs = durationMs(options.maxStale ?? DEFAULT_MAX_STALE_MS, 'view.maxStale')
  return Object.freeze({
    sections,
    combine: combine as ViewSettings<V>['combine'],
    etag: etag as ViewSettings<V>['etag'],
    maxStaleMs,
    maxAgeMs: durationMs(options.maxAge ?? Number.POSITIVE_INFINITY, 'view.maxAge'),
    errorMs: Math.max(maxStaleMs, durationMs(options.staleIfError ?? 0, 'view.staleIfError')),
    version: String(version),
    softMs: options.timeout?.soft === undefined ? DEFAULT_SOFT_MS : softMs,
    hardMs,
    // Last: options that were refused must not leave the name taken.
    name: context.takeName(options.name, 'view'),
  })
}

function resolveSections(given: Readonly<Record<string, SectionOptions<unknown>>> | undefined): Section[] {
  if (typeof given !== 'object' || given === null || Object.keys(given).length === 0)
    throw invalidOption('view.sections', 'an object of at least one section', given)
  const sections = Object.entries(given).map(([name, options], i) => resolveSection(name, options, i === 0, given))
  return inOrder(sections)
}

function resolveSection(
  name: string,
  options: SectionOptions<unknown>,
  isFirst: boolean,
  all: Readonly<Record<string, unknown>>,
): Section {
  // Names that look like numbers change their places in an object, and the first section is special.
  if (!/^[A-Za-z_][\w-]*$/.test(name))
    throw invalidOption('view.sections', "names of letters, digits, '_' and '-' that begin with a letter", name)
  const at = `view.sections.${name}`
  refuseUnknown(at, options, SECTION_OPTION_NAMES)
  const { revision, dependsOn = [], rebuild = isFirst ? 'behind' : 'now', build } = options
  if (typeof build !== 'function') throw invalidOption(`${at}.build`, 'a function', build)
  if (rebuild !== 'behind' && rebuild !== 'now') throw invalidOption(`${at}.rebuild`, "'behind' or 'now'", rebuild)
  const isKnown = (it: unknown): boolean => typeof it === 'string' && it !== name && Object.hasOwn(all, it)
  if (!Array.isArray(dependsOn) || !dependsOn.every(isKnown))
    throw invalidOption(`${at}.dependsOn`, 'an array of names of other sections', dependsOn)
  if (revision !== undefined ? !isRevision(revision) : dependsOn.length === 0)
    throw invalidOption(`${at}.revision`, 'a function, pgRevision(…) or sqliteRevision(…)', revision)
  const own = typeof revision === 'object' ? revision.tables : []
  return Object.freeze({
    name,
    revision,
    dependsOn: Object.freeze([...new Set(dependsOn as string[])]),
    tables: options.tables === undefined ? own : checkTables(options.tables, `${at}.tables`),
    isBehind: rebuild === 'behind',
    build,
  })
}

/** Every section after those it depends on. Errors: `invalid-option` for a circle. */
function inOrder(sections: readonly Section[]): Section[] {
  const ordered: Section[] = []
  let left = sections
  while (left.length > 0) {
    const ready = left.filter(({ dependsOn }) => dependsOn.every((name) => !left.some((it) => it.name === name)))
    if (ready.length === 0) {
      const names = left.map(({ name }) => name).join(', ')
      throw invalidOption('view.sections', 'sections that do not depend on themselves', `a circle of ${names}`)
    }
    ordered.push(...ready)
    left = left.filter((it) => !ready.includes(it))
  }
  return ordered
}
