import type { ArtifactName } from './catalog.ts'
import type { Folders } from './folders.ts'
import { FRAMES_SUFFIX, SIDECAR_SUFFIX, isName } from './name.ts'

/** Every artifact of which at least a sidecar lies in a folder, or in all folders, by name. */
export async function artifactsIn(folders: Folders, folder: string | undefined): Promise<ArtifactName[]> {
  const names: ArtifactName[] = []
  for (const each of folder === undefined ? await folders.list() : [folder]) {
    const { files } = await folders.read(each)
    const found = new Set([...files].map(artifactOf).filter((filename) => filename !== undefined))
    for (const filename of [...found].toSorted()) if (isName(filename)) names.push({ folder: each, filename })
  }
  return names
}

/** The artifact that a sidecar belongs to; `undefined` for what is no sidecar. */
export function artifactOf(file: string): string | undefined {
  const suffix = [FRAMES_SUFFIX, SIDECAR_SUFFIX].find((it) => file.endsWith(it))
  return suffix === undefined ? undefined : file.slice(0, -suffix.length)
}
