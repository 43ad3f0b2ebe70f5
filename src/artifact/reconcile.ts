import type { ArtifactName, Catalog } from './catalog.ts'
import { recoverFolder } from './change.ts'
import type { Folders } from './folders.ts'
import { SIDECAR_SUFFIX, isName } from './name.ts'
import type { Report } from './report.ts'
import type { ArtifactInfo } from './sidecar.ts'

/** What reconciling needs of a store. */
interface Shelf {
  readonly folders: Folders
  readonly report: Report
  info(name: ArtifactName): Promise<ArtifactInfo | undefined>
}

/**
 * Completes or undoes what dead processes left in the folders, then makes the index say what is in them. Goes by names: a
 * sidecar is read only where the index does not know it; `anew`: every one, whatever it says. Call with the writer lock held.
 */
export async function reconcile(shelf: Shelf, catalog: Catalog, anew: boolean): Promise<void> {
  const there = await shelf.folders.list()
  // A change that was cut short may have changed what the index says of it.
  const unfinished = catalog.unfinished()
  for (const folder of there) {
    const doubtful = unfinished.filter((it) => it.folder === folder).map(({ filename }) => filename)
    await reconcileFolder(shelf, catalog, folder, anew ? 'all' : doubtful)
  }
  const gone = catalog.names().filter(({ folder }) => !there.includes(folder))
  catalog.together(() => {
    for (const name of gone) catalog.remove(name)
    for (const { id } of unfinished) catalog.end(id)
  })
}

async function reconcileFolder(
  shelf: Shelf,
  catalog: Catalog,
  folder: string,
  doubtful: readonly string[] | 'all',
): Promise<void> {
  let { files } = await shelf.folders.read(folder)
  const dir = shelf.folders.find(folder)
  if (dir === undefined) return
  const recovered = await recoverFolder(dir, files)
  shelf.report.recovered(folder, recovered)
  if (recovered.completed.length > 0) files = (await shelf.folders.read(folder)).files
  const stored = new Set(
    [...files]
      .filter((name) => name.endsWith(SIDECAR_SUFFIX))
      .map((name) => name.slice(0, -SIDECAR_SUFFIX.length))
      .filter(isName),
  )
  const known = catalog.names(folder)
  const sound = new Set(doubtful === 'all' ? [] : known.map(({ filename }) => filename))
  for (const filename of [...recovered.completed, ...(doubtful === 'all' ? [] : doubtful)]) sound.delete(filename)
  const infos: ArtifactInfo[] = []
  const unreadable: string[] = []
  for (const filename of stored) {
    if (sound.has(filename)) continue
    try {
      const info = await shelf.info({ folder, filename })
      if (info) infos.push(info)
    } catch (error) {
      unreadable.push(filename)
      shelf.report.failed({ folder, filename }, error)
    }
  }
  catalog.together(() => {
    for (const name of known) if (!stored.has(name.filename)) catalog.remove(name)
    for (const filename of unreadable) catalog.remove({ folder, filename })
    for (const info of infos) catalog.put(info)
  })
}
