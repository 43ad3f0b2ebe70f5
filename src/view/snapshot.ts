import { createHash } from 'node:crypto'
import type { Fingerprint } from './fingerprint.ts'
import type { Section, ViewSettings } from './options.ts'

/** A section as it was built. */
export interface Built {
  /** As it is handed out: frozen, or the cache's own copy. */
  readonly value: unknown
  /** The revision that was read before it was built; of a section with dependencies, with theirs. */
  readonly revision: string
  readonly builtAt: number
  /** The data is not older than this: its revision was read then. Moves on each time it is found to be the same. */
  asOf: number
  /** Of two builds in this process the later one has the larger number; 0 for what was stored before. */
  readonly turn: number
  /** A tier has it: one day it may tell that it was removed elsewhere. */
  isStored: boolean
}

/** All sections of a view, and what is made of them. */
export interface Snapshot<V> {
  readonly sections: ReadonlyMap<string, Built>
  readonly value: V
  readonly revision: string
  readonly fingerprint: Fingerprint
}

/** What the sources say now. */
export interface Answer {
  /** The moment before they were asked. */
  readonly at: number
  readonly revisions: ReadonlyMap<string, string>
}

/**
 * The revisions of all sections from what was read for those that have one of their own. A section's revision includes
 * those it depends on, so it moves with them, also across a restart.
 */
export function withDependencies(
  sections: readonly Section[],
  own: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const all = new Map<string, string>()
  for (const { name, dependsOn } of sections) {
    const revision = own.get(name) ?? ''
    const others = dependsOn.map((it) => [it, all.get(it)])
    all.set(name, dependsOn.length === 0 ? revision : `${revision}~${hash([revision, ...others])}`)
  }
  return all
}

/** One revision for all sections, short enough for a header. */
export function combinedRevision(
  { sections, version }: Pick<ViewSettings<unknown>, 'sections' | 'version'>,
  revisionOf: (section: string) => string | undefined,
): string {
  return hash([version, ...sections.map(({ name }) => [name, revisionOf(name)])])
}

/** What is made of the values of the sections, unless the application says it. */
export function valuesOf(
  sections: readonly Section[],
  valueOf: (section: string) => unknown,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(sections.map(({ name }) => [name, valueOf(name)]))
}

function hash(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16)
}
