import { join } from 'node:path'
import { TidemarkError, isTidemarkError } from '../errors.ts'
import type { Clock } from '../clock.ts'
import { dropCatalog, openCatalog, type ArtifactName, type Catalog } from './catalog.ts'
import { changeFiles, recoverFolder, removeFiles, type Parts } from './change.ts'
import { decodeContainer, malformed, type Container } from './container.ts'
import { readRegular, unavailable } from './disk.ts'
import { Folders } from './folders.ts'
import { WriterLock } from './lock.ts'
import { FRAMES_SUFFIX, SIDECAR_SUFFIX } from './name.ts'
import { reconcile } from './reconcile.ts'
import type { Report } from './report.ts'
import { SIDECAR_BYTES_MAX, decodeSidecar, type ArtifactInfo } from './sidecar.ts'
import { failureCode } from '../tier/sqlite/failure.ts'

/** Of the artifact itself, and of its frames. */
export const FILE_BYTES_MAX: number = 512 * 1024 * 1024

/**
 * The files of one store and the index of them. Reading needs neither lock nor index; every change is made by the one
 * holder of the writer lock, who first completes what a dead process left.
 */
export class Store {
  readonly folders: Folders
  readonly report: Report
  readonly clock: Clock
  readonly #lock: () => WriterLock
  #openLock: WriterLock | undefined
  #catalog: Catalog | undefined
  #ready: Promise<void> | undefined
  /** The index lacks something: a look at the folders comes before the next use. */
  #isBehind = false
  #isClosed = false

  constructor(root: string, report: Report, clock: Clock) {
    this.folders = new Folders(root)
    this.report = report
    this.clock = clock
    this.#lock = () => (this.#openLock ??= new WriterLock(this.folders.own('lock.db')))
  }

  /** Opens the root and recovers what dead processes left; once, and again after it failed. Errors: `artifact-…`. */
  ready(): Promise<void> {
    this.#ready ??= this.#open().catch((error: unknown) => {
      this.#ready = undefined
      throw error
    })
    return this.#ready
  }

  /** Runs work as the only writer of this root. Errors: `artifact-busy`, `artifact-unavailable`, and those of the work. */
  async locked<T>(work: (catalog: Catalog) => Promise<T>): Promise<T> {
    await this.ready()
    return this.#lock().run(async () => {
      try {
        await this.#catchUp()
      } catch (error) {
        throw unavailable(this.folders.root, error)
      }
      return work(this.#opened())
    })
  }

  /** Asks the index. Errors: `artifact-unavailable`. */
  async indexed<T>(ask: (catalog: Catalog) => T): Promise<T> {
    await this.ready()
    if (this.#isBehind || this.#opened().isReplaced()) await this.locked(async () => {})
    try {
      return ask(this.#opened())
    } catch (error) {
      if (failureCode(error) !== 'tier-corrupt') throw unavailable(this.folders.root, error)
    }
    this.#isBehind = true
    return this.locked(async (catalog) => ask(catalog))
  }

  /** What is known of an artifact; `undefined` when there is none. Errors: `artifact-malformed`, `artifact-newer`, `artifact-unsafe`. */
  async info({ folder, filename }: ArtifactName): Promise<ArtifactInfo | undefined> {
    const where = `${folder}/${filename}${SIDECAR_SUFFIX}`
    const bytes = await this.#read(folder, `${filename}${SIDECAR_SUFFIX}`, SIDECAR_BYTES_MAX)
    if (!bytes) return undefined
    const info = decodeSidecar(bytes, where)
    // A disk that knows no capitals answers for other names too, and a copied file speaks of where it came from.
    if (info.folder !== folder || info.filename !== filename)
      throw malformed(where, `it speaks of ${info.folder}/${info.filename}`)
    return info
  }

  /** The frames sidecar; `undefined` when there is none. Errors as for {@link info}. */
  async container({ folder, filename }: ArtifactName): Promise<Container | undefined> {
    const where = `${folder}/${filename}${FRAMES_SUFFIX}`
    const bytes = await this.framesFile({ folder, filename })
    if (!bytes) return undefined
    const container = await decodeContainer(bytes, where)
    const { header } = container
    if (header.folder !== folder || header.filename !== filename)
      throw malformed(where, `it speaks of ${header.folder}/${header.filename}`)
    return container
  }

  /** The frames sidecar as it lies there. Errors: `artifact-unsafe`. */
  framesFile({ folder, filename }: ArtifactName): Promise<Buffer | undefined> {
    return this.#read(folder, `${filename}${FRAMES_SUFFIX}`, FILE_BYTES_MAX)
  }

  /** The artifact's bytes; `undefined` when there are none. Errors: `artifact-unsafe`. */
  file({ folder, filename }: ArtifactName): Promise<Buffer | undefined> {
    return this.#read(folder, filename, FILE_BYTES_MAX)
  }

  /** True when any file of it lies in its folder. */
  async isAnyThere({ folder, filename }: ArtifactName): Promise<boolean> {
    const { files } = await this.folders.read(folder)
    return ['', FRAMES_SUFFIX, SIDECAR_SUFFIX].some((suffix) => files.has(`${filename}${suffix}`))
  }

  /** Makes a change of an artifact's files, and of the index. Inside {@link locked}. */
  async change(catalog: Catalog, info: ArtifactInfo, parts: Parts): Promise<void> {
    await this.#changing(catalog, info, async () => {
      const dir = await this.folders.make(info.folder)
      await changeFiles(dir, info.filename, parts)
      return () => catalog.put(info)
    })
  }

  /** Removes an artifact's files, and its row. Inside {@link locked}. */
  async remove(catalog: Catalog, name: ArtifactName): Promise<void> {
    await this.#changing(catalog, name, async () => {
      const dir = this.folders.find(name.folder)
      if (dir !== undefined) await removeFiles(dir, name.filename)
      return () => catalog.remove(name)
    })
  }

  /** Makes the index anew from the folders. Resolves to how many artifacts are in it. */
  async reindex(): Promise<number> {
    return this.locked(async () => {
      await this.#reconcileAnew()
      return this.#opened().totals().files
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#ready?.catch(() => {})
    await this.#openLock?.close()
    this.#catalog?.close()
    this.#catalog = undefined
  }

  async #open(): Promise<void> {
    try {
      this.folders.prepare()
      await this.#lock().run(async () => {
        this.#catalog ??= this.#openCatalog()
        await reconcile(this, this.#catalog, false)
        this.#catalog.isNew = false
      })
    } catch (error) {
      throw unavailable(this.folders.root, error)
    }
  }

  #openCatalog(): Catalog {
    return openCatalog(this.folders.own('index.db'), (error) => this.report.failed(undefined, error))
  }

  #opened(): Catalog {
    if (!this.#catalog) throw closed(this.folders.root)
    return this.#catalog
  }

  #reopenCatalog(): void {
    this.#catalog?.close()
    this.#catalog = this.#openCatalog()
  }

  /** Reads every sidecar; an index that cannot even be written to is thrown away first. */
  async #reconcileAnew(): Promise<void> {
    try {
      await reconcile(this, this.#opened(), true)
    } catch (error) {
      if (isTidemarkError(error)) throw error
      this.#opened().close()
      dropCatalog(this.folders.own('index.db'))
      this.#reopenCatalog()
      await reconcile(this, this.#opened(), true)
    }
    this.#isBehind = false
    this.#opened().isNew = false
  }

  /** Before a writer begins: what a dead one left, and an index that was lost or fell behind. */
  async #catchUp(): Promise<void> {
    if (this.#isClosed) throw closed(this.folders.root)
    if (this.#opened().isReplaced()) this.#reopenCatalog()
    if (this.#isBehind || this.#opened().isNew) return this.#reconcileAnew()
    const catalog = this.#opened()
    for (const { id, folder, filename } of catalog.unfinished()) {
      const dir = this.folders.find(folder)
      if (dir !== undefined) {
        const { files } = await this.folders.read(folder)
        this.report.recovered(folder, await recoverFolder(dir, files, filename))
      }
      const info = await this.info({ folder, filename }).catch(() => undefined)
      catalog.together(() => {
        if (info) catalog.put(info)
        else catalog.remove({ folder, filename })
        catalog.end(id)
      })
    }
  }

  /** The intent first: if this process dies, the next writer knows where to look. */
  async #changing(catalog: Catalog, name: ArtifactName, make: () => Promise<() => void>): Promise<void> {
    const intent = this.#noted(() => catalog.begin(name))
    let note: () => void
    try {
      note = await make()
    } catch (error) {
      throw unavailable(join(this.folders.root, name.folder), error)
    }
    this.#noted(() =>
      catalog.together(() => {
        note()
        if (intent !== undefined) catalog.end(intent)
      }),
    )
  }

  /** The files are the truth: an index that fails is made anew later, and stops nobody. */
  #noted<T>(change: () => T): T | undefined {
    try {
      return change()
    } catch (error) {
      this.#isBehind = true
      this.report.failed(undefined, error)
      return undefined
    }
  }

  async #read(folder: string, name: string, maxBytes: number): Promise<Buffer | undefined> {
    try {
      const dir = this.folders.find(folder)
      return dir === undefined ? undefined : await readRegular(join(dir, name), maxBytes)
    } catch (error) {
      throw unavailable(join(this.folders.root, folder, name), error)
    }
  }
}

function closed(root: string): TidemarkError {
  return new TidemarkError('closed', `The store at ${root} was closed.`)
}
