import { isTidemarkError } from '../errors.ts'
import type { ArtifactOutcome } from '../observe/event.ts'
import type { Hub } from '../observe/hub.ts'
import type { ArtifactName } from './catalog.ts'
import type { Recovered } from './change.ts'

/** What is counted of a store, by this process. */
export interface ArtifactCounts {
  /** Calls of `open` that found the file, and that found none. */
  readonly opened: number
  readonly missing: number
  /** Saves by what became of them. */
  readonly written: number
  readonly replaced: number
  readonly unchanged: number
  /** Saves that met another thing under their name. */
  readonly conflicts: number
  readonly regenerated: number
  readonly removed: number
  /** Files that were not what was written, sidecars that could not be read, and those of a newer program. */
  readonly damaged: number
  readonly malformed: number
  readonly newer: number
  /** Every other failure. */
  readonly failed: number
  /** Changes of dead processes that were completed or undone. */
  readonly recovered: number
}

type Counts = { -readonly [C in keyof ArtifactCounts]: number }

/** Counts what happens in a store and tells it. */
export class Report {
  readonly #name: string
  readonly #hub: Hub
  readonly #counts: Counts = {
    opened: 0,
    missing: 0,
    written: 0,
    replaced: 0,
    unchanged: 0,
    conflicts: 0,
    regenerated: 0,
    removed: 0,
    damaged: 0,
    malformed: 0,
    newer: 0,
    failed: 0,
    recovered: 0,
  }

  constructor(name: string, hub: Hub) {
    this.#name = name
    this.#hub = hub
  }

  get counts(): ArtifactCounts {
    return { ...this.#counts }
  }

  opened(isThere: boolean): void {
    const counters = this.#hub.of(this.#name)
    if (isThere) counters.hit('files', false)
    else counters.misses++
    this.#counts[isThere ? 'opened' : 'missing']++
  }

  saved({ folder, filename }: ArtifactName, outcome: ArtifactOutcome, bytes: number): void {
    this.#counts[outcome]++
    if (outcome !== 'unchanged') this.#hub.of(this.#name).sets++
    this.#hub.emit({ type: 'artifact-saved', name: this.#name, folder, filename, outcome, bytes })
  }

  removed({ folder, filename }: ArtifactName, cause: 'deleted' | 'quota'): void {
    this.#counts.removed++
    const counters = this.#hub.of(this.#name)
    if (cause === 'deleted') counters.deletes++
    counters.evictions[cause === 'quota' ? 'size' : 'explicit']++
    this.#hub.emit({ type: 'artifact-removed', name: this.#name, folder, filename, cause })
  }

  failed(where: ArtifactName | undefined, error: unknown): void {
    this.#counts[countOf(error)]++
    if (isTidemarkError(error, 'artifact-damaged')) this.#hub.of(this.#name).corrupt++
    const { folder, filename } = where ?? { folder: undefined, filename: undefined }
    this.#hub.emit({ type: 'artifact-failed', name: this.#name, folder, filename, error })
  }

  recovered(folder: string, { completed, undone }: Recovered): void {
    const all = [
      ...completed.map((filename) => ({ filename, how: 'completed' as const })),
      ...undone.map((filename) => ({ filename, how: 'undone' as const })),
    ]
    this.#counts.recovered += all.length
    for (const it of all) this.#hub.emit({ type: 'artifact-recovered', name: this.#name, folder, ...it })
  }

  progress(where: ArtifactName, done: number, total: number): void {
    this.#hub.emit({ type: 'progress', name: this.#name, key: `${where.folder}/${where.filename}`, done, total })
  }
}

function countOf(error: unknown): keyof Counts {
  if (!isTidemarkError(error)) return 'failed'
  switch (error.code) {
    case 'artifact-conflict':
      return 'conflicts'
    case 'artifact-damaged':
      return 'damaged'
    case 'artifact-malformed':
      return 'malformed'
    case 'artifact-newer':
      return 'newer'
    default:
      return 'failed'
  }
}
