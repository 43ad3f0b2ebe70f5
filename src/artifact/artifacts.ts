import type { Context } from '../load/context.ts'
import { checkNote, annotated, type Annotation } from './annotate.ts'
import type { ArtifactName } from './catalog.ts'
import { collectUntil, resolveCollect, type CollectOptions, type CollectReport } from './collect.ts'
import { Opener, type ArtifactFile } from './file.ts'
import { pageOf, resolveList, type ArtifactPage, type ListOptions } from './list.ts'
import { framesOf } from './made.ts'
import { checkName } from './name.ts'
import { resolveArtifacts, type ArtifactOptions, type ArtifactSettings } from './options.ts'
import { regenerate, resolveRegenerate, type RegenerateOptions, type RegenerateReport } from './regenerate.ts'
import { Report, type ArtifactCounts } from './report.ts'
import { saveArtifact, type SavedArtifact } from './save.ts'
import { encodeSidecar, type ArtifactInfo } from './sidecar.ts'
import { Store } from './store.ts'
import { resolveVerify, verify, type VerifyOptions, type VerifyReport } from './verify.ts'

/** The counts of a store, and what is in it now. */
export interface ArtifactStats extends ArtifactCounts {
  /** Artifacts stored. */
  readonly files: number
  /** What they take with their frames. */
  readonly bytes: number
}

/**
 * Files that are made from source frames and kept with them: never stale, made anew when the encoder changes. Nothing that
 * clears the cache touches them. Made by `tide.artifacts`.
 *
 * Every method fails with `closed` after the cache was closed, with `artifact-name` for names that are no single part of a
 * path, and with `artifact-unavailable` when the system refuses to read or write.
 *
 * @example
 * const { filename, sha256 } = await files.save(event, frames)
 * const file = await files.open('BE11529', filename)
 * await files.regenerate({ dryRun: true })
 */
export class Artifacts<E, F> {
  readonly name: string
  readonly #context: Context
  readonly #settings: ArtifactSettings<E, F>
  readonly #store: Store
  readonly #report: Report
  readonly #opener: Opener

  constructor(options: ArtifactOptions<E, F>, context: Context) {
    this.#settings = resolveArtifacts(options, context)
    this.#context = context
    this.name = this.#settings.name
    this.#report = new Report(this.name, context.hub)
    this.#store = new Store(this.#settings.root, this.#report, context.clock)
    this.#opener = new Opener(this.#store)
    // Behind whatever comes first; who needs it waits for it, and hears why it failed.
    void this.#store.ready().catch(() => {})
  }

  /**
   * Stores an artifact with its frames and its sidecar; durable when it resolves. All of it or nothing: a crash leaves the
   * old or the new. The same frames again change nothing. Review and extensions of what is replaced stay.
   *
   * Errors: `artifact-empty`, `artifact-conflict` (another thing has the name), `artifact-quota`, `artifact-malformed` and
   * `artifact-newer` (of the sidecar that is there), `artifact-busy`, `invalid-value`, and what your functions throw.
   */
  async save(event: E, frames: readonly F[]): Promise<SavedArtifact> {
    this.#context.refuseIfClosed()
    return saveArtifact(this.#store, this.#settings, event, frames)
  }

  /**
   * An artifact with its path, size, hash and bytes; `undefined` when there is none. Its hash was compared.
   * Errors: `artifact-damaged`, `artifact-malformed`, `artifact-newer`, `artifact-unsafe`.
   */
  async open(folder: string, filename: string): Promise<ArtifactFile | undefined> {
    return this.#opener.open(this.#nameOf(folder, filename))
  }

  /** What is known of an artifact, without looking at its bytes; `undefined` when there is none. Errors as for {@link open}. */
  async info(folder: string, filename: string): Promise<ArtifactInfo | undefined> {
    const name = this.#nameOf(folder, filename)
    return this.#reported(name, async () => {
      await this.#settled()
      return this.#store.info(name)
    })
  }

  /**
   * The frames an artifact was made from; `undefined` when they are missing.
   * Errors: `artifact-malformed`, `artifact-newer`, `artifact-empty`, `artifact-unsafe`.
   */
  async source(folder: string, filename: string): Promise<readonly F[] | undefined> {
    const name = this.#nameOf(folder, filename)
    return this.#reported(name, async () => {
      await this.#settled()
      const container = await this.#store.container(name)
      return container && framesOf(this.#settings, name, container)
    })
  }

  /** One page of artifacts by time, from the index. Errors: `invalid-option`, `unknown-option`. */
  async list(options: ListOptions = {}): Promise<ArtifactPage> {
    this.#context.refuseIfClosed()
    const search = resolveList(options)
    const rows = await this.#store.indexed((catalog) => catalog.search({ ...search, limit: search.limit + 1 }))
    return pageOf(rows, search.limit)
  }

  /**
   * Changes what people and other programs say of an artifact, each by a merge patch (RFC 7396): fields that are `null` are
   * removed, those that are not named stay. Resolves to what is known now; `undefined` when there is no such artifact.
   * Errors: `invalid-value`, `artifact-malformed`, `artifact-newer`.
   */
  async annotate(folder: string, filename: string, note: Annotation): Promise<ArtifactInfo | undefined> {
    const name = this.#nameOf(folder, filename)
    checkNote(note)
    return this.#reported(name, () =>
      this.#store.locked(async (catalog) => {
        const info = await this.#store.info(name)
        if (!info) return undefined
        const changed = annotated(info, note)
        await this.#store.change(catalog, changed, { sidecar: encodeSidecar(changed) })
        return changed
      }),
    )
  }

  /** Removes an artifact with its frames and its sidecar, also what is left of one. Resolves to whether there was anything. */
  async delete(folder: string, filename: string): Promise<boolean> {
    const name = this.#nameOf(folder, filename)
    return this.#reported(name, () =>
      this.#store.locked(async (catalog) => {
        if (!(await this.#store.isAnyThere(name))) return false
        await this.#store.remove(catalog, name)
        this.#report.removed(name, 'deleted')
        return true
      }),
    )
  }

  /**
   * Makes anew, from its frames, every artifact that is missing, differs from what its sidecar says, or was made by an older
   * encoder. Review and extensions stay; what cannot be made is reported and left as it is. Tells how far it has come
   * (event `progress`).
   */
  async regenerate(options: RegenerateOptions = {}): Promise<RegenerateReport> {
    this.#context.refuseIfClosed()
    return regenerate(this.#store, this.#settings, resolveRegenerate(options))
  }

  /** Reads everything and compares hashes; says what is damaged, missing, left over or unknown. Changes nothing. */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    this.#context.refuseIfClosed()
    return verify(this.#store, this.#settings.encoderVersion, resolveVerify(options))
  }

  /** Removes the oldest artifacts until the quota, or the given limits, are kept. Those that `quota.keep` holds stay. */
  async gc(options: CollectOptions = {}): Promise<CollectReport> {
    this.#context.refuseIfClosed()
    const { quota } = this.#settings
    const { maxBytes, maxFiles, before, dryRun } = resolveCollect(options, quota)
    return this.#store.locked((catalog) =>
      collectUntil(this.#store, catalog, ({ files, bytes }) => files <= maxFiles && bytes <= maxBytes, {
        keep: quota.keep,
        before,
        dryRun,
      }),
    )
  }

  /** Makes the index anew from the folders. Resolves to how many artifacts are in it. */
  async reindex(): Promise<number> {
    this.#context.refuseIfClosed()
    return this.#store.reindex()
  }

  /** What was counted since the store was made, and what is in it. */
  async stats(): Promise<ArtifactStats> {
    this.#context.refuseIfClosed()
    const totals = await this.#store.indexed((catalog) => catalog.totals())
    return { ...this.#report.counts, ...totals }
  }

  /** Waits for the change that is under way and lets go of the files. Called by `tide.close`. */
  close(): Promise<void> {
    return this.#store.close()
  }

  #nameOf(folder: string, filename: string): ArtifactName {
    this.#context.refuseIfClosed()
    return { folder: checkName('folder', folder), filename: checkName('filename', filename) }
  }

  /** Where nothing can be recovered, what is there can still be read. */
  async #settled(): Promise<void> {
    await this.#store.ready().catch(() => {})
  }

  async #reported<T>(name: ArtifactName, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#report.failed(name, error)
      throw error
    }
  }
}
