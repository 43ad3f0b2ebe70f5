import { types } from 'node:util'
import { TidemarkError, describe } from '../errors.ts'
import type { ArtifactName } from './catalog.ts'
import { malformed, newer, type Container } from './container.ts'
import { sha256 } from './hash.ts'
import { FRAMES_SUFFIX } from './name.ts'
import type { ArtifactSettings, EncodeContext } from './options.ts'
import { FILE_BYTES_MAX } from './store.ts'

/** A file as the encoder makes it, not yet stored. */
export interface Made {
  readonly bytes: Uint8Array
  /** Hex. */
  readonly sha256: string
}

/** The frames as they are written down. Errors: `artifact-empty`, `invalid-value`. */
export function payloadOf<E, F>(
  settings: ArtifactSettings<E, F>,
  name: ArtifactName,
  frames: readonly F[],
): Uint8Array {
  if (!Array.isArray(frames) || frames.length === 0) throw empty(name, 'there are no frames')
  return checkBytes(name, 'source.encode', settings.source.encode(frames))
}

/**
 * The frames that a payload stands for. A codec that throws makes the sidecar a malformed one; one that finds nothing must
 * not empty a file. Errors: `artifact-newer`, `artifact-malformed`, `artifact-empty`.
 */
export function framesOf<E, F>(
  settings: ArtifactSettings<E, F>,
  name: ArtifactName,
  { payload, sourceVersion }: Pick<Container, 'payload' | 'sourceVersion'>,
): readonly F[] {
  const where = `${name.folder}/${name.filename}${FRAMES_SUFFIX}`
  if (sourceVersion > settings.source.version) throw newer(where, `version ${sourceVersion} of its frames`)
  let frames: unknown
  try {
    frames = settings.source.decode(payload, sourceVersion)
  } catch (cause) {
    throw malformed(where, cause instanceof Error ? cause.message : String(cause), cause)
  }
  if (!Array.isArray(frames)) throw malformed(where, `its decoder returned ${describe(frames)}`)
  if (frames.length === 0) throw empty(name, 'its source has no frames')
  return frames as F[]
}

/** Runs the encoder. Errors: `artifact-empty`, `invalid-value`, and whatever the encoder throws. */
export async function make<E, F>(
  settings: ArtifactSettings<E, F>,
  frames: readonly F[],
  context: EncodeContext,
): Promise<Made> {
  const bytes = checkBytes(context, 'encode', await settings.encode(frames, context))
  return { bytes, sha256: (await sha256(bytes)).toString('hex') }
}

function checkBytes(name: ArtifactName, option: string, bytes: unknown): Uint8Array {
  if (!types.isUint8Array(bytes)) {
    const message = `Expected \`${option}\` to return a Uint8Array, got ${describe(bytes)}.`
    throw new TidemarkError('invalid-value', message, { hint: 'Return the bytes of the file.', data: { option } })
  }
  if (bytes.byteLength === 0) throw empty(name, `\`${option}\` returned no bytes`)
  if (bytes.byteLength <= FILE_BYTES_MAX) return bytes
  const message = `\`${option}\` returned ${bytes.byteLength} bytes for ${name.folder}/${name.filename}, more than ${FILE_BYTES_MAX}.`
  throw new TidemarkError('invalid-value', message, { hint: 'Cut it into several artifacts.', data: { option } })
}

function empty({ folder, filename }: ArtifactName, why: string): TidemarkError {
  return new TidemarkError('artifact-empty', `Nothing to write for ${folder}/${filename}: ${why}.`, {
    data: { folder, filename },
  })
}
