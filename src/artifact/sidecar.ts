// The metadata sidecar: JSON that people and other programs read. What the application says lies at the top, beside what
// the store says (`source`, `artifact`) and what people add (`review`, `extensions`), which no regeneration touches.

import type { Identity } from '../entry.ts'
import { TidemarkError } from '../errors.ts'
import { malformed, newer } from './container.ts'
import { isIdentity, isJsonObject, type JsonObject } from './json.ts'

/** Everything that is known of a stored artifact. Times are milliseconds since 1970, sizes bytes. */
export interface ArtifactInfo {
  readonly folder: string
  readonly filename: string
  /** When what it is about happened, ISO 8601 as the application wrote it. */
  readonly time: string
  /** Which physical thing it is of. */
  readonly identity: Identity
  readonly size: number
  /** Of the artifact's bytes, hex. */
  readonly sha256: string
  readonly encoderVersion: number
  readonly encodedAt: number
  /** When it was saved first. */
  readonly capturedAt: number
  /** What wrote it, as the application calls itself. */
  readonly tool: string
  readonly source: {
    readonly filename: string
    readonly size: number
    readonly sha256: string
    /** Of the source codec. */
    readonly version: number
  }
  /** What the application said of it when it was saved. */
  readonly metadata: JsonObject
  /** What people said of it since, and what other programs added: see `annotate`. */
  readonly review: JsonObject
  readonly extensions: JsonObject
}

/** No sidecar that is written is larger; one that is was not written here. */
export const SIDECAR_BYTES_MAX: number = 1024 * 1024
const FORMAT = 1
/** Fields of the sidecar that are the store's own. */
const OWN_FIELDS = ['source', 'review', 'extensions', 'artifact'] as const

/** Refuses metadata that would hide what the store itself writes. Errors: `invalid-value`. */
export function checkMetadata(metadata: JsonObject): void {
  const taken = OWN_FIELDS.find((field) => Object.hasOwn(metadata, field))
  if (taken === undefined) return
  throw new TidemarkError('invalid-value', `Metadata may not have a field \`${taken}\`: the store writes one itself.`, {
    hint: `Give the field another name; ${OWN_FIELDS.join(', ')} are taken.`,
  })
}

/** The bytes of a metadata sidecar. Errors: `invalid-value` for one that nobody could read again. */
export function encodeSidecar(info: ArtifactInfo): Buffer {
  const { folder, filename, time, identity, size, sha256, encoderVersion, tool, metadata, review, extensions } = info
  const { filename: frames, ...stored } = info.source
  const source = {
    tool,
    encoderVersion,
    capturedAt: isoOf(info.capturedAt),
    encodedAt: isoOf(info.encodedAt),
    size,
    sha256,
    frames: { filename: frames, ...stored },
  }
  const artifact = { format: FORMAT, folder, filename, time, identity }
  const fields = { ...metadata, source, review, extensions, artifact }
  const spaced = Buffer.from(`${JSON.stringify(fields, undefined, 2)}\n`)
  if (spaced.byteLength <= SIDECAR_BYTES_MAX) return spaced
  // Space between the fields can take many times what is in them.
  const bytes = Buffer.from(`${JSON.stringify(fields)}\n`)
  if (bytes.byteLength <= SIDECAR_BYTES_MAX) return bytes
  throw new TidemarkError(
    'invalid-value',
    `The sidecar of ${folder}/${filename} would have ${bytes.byteLength} bytes, more than ${SIDECAR_BYTES_MAX}.`,
    { hint: 'Say less in the identity, the metadata, the review or the extensions; nothing was written.' },
  )
}

/** Reads a metadata sidecar. `where` names it in messages. Errors: `artifact-malformed`, `artifact-newer`. */
export function decodeSidecar(bytes: Uint8Array, where: string): ArtifactInfo {
  let parsed: unknown
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw malformed(where, 'it is no JSON', cause)
  }
  const { source, review = {}, extensions = {}, artifact, ...metadata } = isJsonObject(parsed) ? parsed : {}
  if (!isJsonObject(artifact) || typeof artifact['format'] !== 'number')
    throw malformed(where, 'it does not say of what format it is')
  if (artifact['format'] > FORMAT) throw newer(where, `format ${artifact['format']}`)
  if (!isJsonObject(review) || !isJsonObject(extensions)) throw malformed(where, 'review and extensions are objects')
  const info = {
    ...sourceOf(isJsonObject(source) ? source : {}),
    ...pick(artifact, ['folder', 'filename', 'time']),
    identity: artifact['identity'],
    metadata,
    review,
    extensions,
  }
  const wrong = wrongField(info)
  if (wrong !== undefined) throw malformed(where, `its field ${wrong} does not fit`)
  return info as unknown as ArtifactInfo
}

function sourceOf(source: JsonObject): Record<string, unknown> {
  const { frames } = source
  return {
    ...pick(source, ['tool', 'encoderVersion', 'size', 'sha256']),
    capturedAt: Date.parse(String(source['capturedAt'])),
    encodedAt: Date.parse(String(source['encodedAt'])),
    source: isJsonObject(frames) ? pick(frames, ['filename', 'size', 'version', 'sha256']) : {},
  }
}

function wrongField(info: Record<string, unknown>): string | undefined {
  const source = info['source'] as JsonObject
  const texts = { ...pick(info, ['folder', 'filename', 'time', 'tool']), 'source.filename': source['filename'] }
  const wholes = {
    ...pick(info, ['encoderVersion', 'size', 'capturedAt', 'encodedAt']),
    'source.size': source['size'],
    'source.version': source['version'],
  }
  const hashes = { sha256: info['sha256'], 'source.sha256': source['sha256'] }
  const isHash = (it: unknown): boolean => typeof it === 'string' && /^[0-9a-f]{64}$/.test(it)
  return (
    firstWrong(texts, (it) => typeof it === 'string') ??
    firstWrong(wholes, (it) => Number.isSafeInteger(it) && (it as number) >= 0) ??
    firstWrong(hashes, isHash) ??
    (isIdentity(info['identity']) ? undefined : 'identity')
  )
}

function firstWrong(fields: Record<string, unknown>, fits: (value: unknown) => boolean): string | undefined {
  return Object.entries(fields).find(([, value]) => !fits(value))?.[0]
}

function pick(from: JsonObject, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field, from[field]]))
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}
