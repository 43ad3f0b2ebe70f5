// A store of notes: what every test of artifacts saves. Imported by its path, because processes of their own use it too.

import { join } from 'node:path'
import {
  createTidemark,
  memory,
  type ArtifactOptions,
  type Artifacts,
  type Tidemark,
  type TidemarkEvent,
} from '../../src/index.ts'
import { FakeClock } from '../../src/testing/index.ts'

/** What a note is of. */
export interface Note {
  readonly folder: string
  readonly filename: string
  readonly time?: string
  /** Which physical note it is; two of one name are a conflict. */
  readonly id?: string | undefined
  readonly about?: object
}

/** A store that is open, and what it told. */
export interface OpenStore extends AsyncDisposable {
  readonly tide: Tidemark
  readonly notes: Artifacts<Note, string>
  readonly events: TidemarkEvent[]
  readonly clock: FakeClock
  close(): Promise<void>
}

export const TIME = '2026-05-01T13:16:34'

/** The file of a note: its frames, one a line, under a line that names the encoder. */
export function fileOf(frames: readonly string[], version = 1): string {
  return `encoder ${version}\n${frames.join('\n')}\n`
}

/** Opens a store in a folder; `version` is that of its encoder. */
export function openStore(
  root: string,
  options: Partial<ArtifactOptions<Note, string>> & { readonly version?: number } = {},
): OpenStore {
  const { version = 1, ...more } = options
  const clock = new FakeClock()
  const tide = createTidemark({ tiers: [memory()], clock })
  const events: TidemarkEvent[] = []
  tide.on('event', (event) => events.push(event))
  const notes = tide.artifacts<Note, string>({
    name: 'notes',
    root,
    folder: ({ folder }) => folder,
    filename: ({ filename }) => filename,
    time: ({ time = TIME }) => time,
    identity: ({ id }) => [id],
    metadata: ({ about = {} }) => ({ about }),
    encode: (frames) => Buffer.from(fileOf(frames, version)),
    encoderVersion: version,
    source: {
      version: 1,
      encode: (frames) => Buffer.from(JSON.stringify(frames)),
      decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as string[],
    },
    ...more,
  })
  const close = (): Promise<void> => tide.close()
  return { tide, notes, events, clock, close, [Symbol.asyncDispose]: close }
}

/** The three paths of a note. */
export function pathsOf(root: string, { folder, filename }: Note): { file: string; frames: string; sidecar: string } {
  const file = join(root, folder, filename)
  return { file, frames: `${file}.frames`, sidecar: `${file}.event.json` }
}

/** The code an error has, or that there was none. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'no error'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}
