import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A package of the project the command is run in, or `undefined` when it is not installed there. */
export async function importFromProject(name: string): Promise<unknown> {
  let path: string
  try {
    path = createRequire(join(process.cwd(), 'package.json')).resolve(name)
  } catch {
    return undefined
  }
  return import(pathToFileURL(path).href)
}
