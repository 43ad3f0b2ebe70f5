import type { Identity } from '../entry.ts'
import { invalidOption, refuseUnknown } from '../errors.ts'
import type { Context } from '../load/context.ts'
import type { JsonObject } from './json.ts'
import type { ArtifactInfo } from './sidecar.ts'

/** What an encoder gets besides the frames. Nothing else: the same must be there when the file is made again. */
export interface EncodeContext {
  readonly folder: string
  readonly filename: string
  readonly time: string
  readonly metadata: JsonObject
}

/** How source frames are written down, and read again. */
export interface SourceCodec<F> {
  readonly encode: (frames: readonly F[]) => Uint8Array
  /** Reads what any version up to `version` wrote. What it throws makes the sidecar a malformed one. */
  readonly decode: (bytes: Uint8Array, version: number) => readonly F[]
  /** Of what `encode` writes; a whole number from 1. A sidecar of a later one is refused with `artifact-newer`. */
  readonly version: number
}

/** How much may be stored. */
export interface QuotaOptions {
  /** Bytes of artifacts and frames together. Defaults to `Infinity`. */
  readonly maxBytes?: number | undefined
  /** Number of artifacts. Defaults to `Infinity`. */
  readonly maxFiles?: number | undefined
  /**
   * What a save over the quota does: `refuse` (default): fails with `artifact-quota`, nothing is written; `collect`: first
   * removes the oldest artifacts that `keep` does not hold.
   */
  readonly whenFull?: 'refuse' | 'collect' | undefined
  /** Which artifacts are never collected. Defaults to those that were reviewed. */
  readonly keep?: ((info: ArtifactInfo) => boolean) | undefined
}

/** Options of `tide.artifacts`. `E` is what an artifact is of, `F` one frame of its source. */
export interface ArtifactOptions<E, F> {
  /** Names the store in events and stats. */
  readonly name: string
  /** The folder everything lies in; made, private, when it is missing. One store in one root. */
  readonly root: string
  /** The folder of an artifact, and its name in it: each one part of a path, checked. */
  readonly folder: (event: E) => string
  readonly filename: (event: E) => string
  /** When it happened, ISO 8601: what lists are ordered by, as text, so always written alike. */
  readonly time: (event: E) => string
  /** Makes the file from its frames. The same frames make the same bytes. */
  readonly encode: (frames: readonly F[], context: EncodeContext) => Uint8Array | Promise<Uint8Array>
  /** Of what `encode` makes; a whole number from 1. `regenerate` makes files of older ones anew. */
  readonly encoderVersion: number
  readonly source: SourceCodec<F>
  /** What the sidecar says of it, a JSON object without the fields `source`, `review`, `extensions`, `artifact`. Defaults to nothing. */
  readonly metadata?: ((event: E, frames: readonly F[]) => JsonObject) | undefined
  /** Which physical thing it is of: another one under the same name is a conflict. Defaults to the frames themselves. */
  readonly identity?: ((event: E) => Identity) | undefined
  /** What the sidecar names as the program that wrote it. Defaults to `tidemark`. */
  readonly tool?: string | undefined
  readonly quota?: QuotaOptions | undefined
}

/** The options of a store, checked and completed. */
export interface ArtifactSettings<E, F> {
  readonly name: string
  readonly root: string
  readonly folder: (event: E) => string
  readonly filename: (event: E) => string
  readonly encode: ArtifactOptions<E, F>['encode']
  readonly encoderVersion: number
  readonly source: SourceCodec<F>
  readonly metadata: (event: E, frames: readonly F[]) => JsonObject
  readonly identity: ((event: E) => Identity) | undefined
  readonly time: (event: E) => string
  readonly tool: string
  readonly quota: QuotaSettings
}

/** The quota, completed. */
export interface QuotaSettings {
  readonly maxBytes: number
  readonly maxFiles: number
  readonly whenFull: 'refuse' | 'collect'
  readonly keep: (info: ArtifactInfo) => boolean
}

const REQUIRED = ['folder', 'filename', 'time', 'encode'] as const
const OPTIONAL = ['metadata', 'identity'] as const
const VERSION_MAX = 2 ** 32 - 1

/** Errors: `invalid-option`, `unknown-option`, `name-taken`. */
export function resolveArtifacts<E, F>(options: ArtifactOptions<E, F>, context: Context): ArtifactSettings<E, F> {
  refuseUnknown('artifacts()', options, [
    'name',
    'root',
    ...REQUIRED,
    'encoderVersion',
    'source',
    ...OPTIONAL,
    'tool',
    'quota',
  ])
  const { root, source, encoderVersion, tool = 'tidemark' } = options
  if (typeof root !== 'string' || root === '' || root.includes('\0'))
    throw invalidOption('artifacts.root', 'a folder', root)
  for (const option of REQUIRED) {
    if (typeof options[option] !== 'function') throw invalidOption(`artifacts.${option}`, 'a function', options[option])
  }
  for (const option of OPTIONAL) {
    if (options[option] !== undefined && typeof options[option] !== 'function')
      throw invalidOption(`artifacts.${option}`, 'a function', options[option])
  }
  checkVersion('artifacts.encoderVersion', encoderVersion)
  if (typeof tool !== 'string' || tool === '') throw invalidOption('artifacts.tool', 'a name', tool)
  checkSource(source)
  const quota = resolveQuota(options.quota ?? {})
  // Last: options that were refused must not leave the name taken.
  const name = context.takeName(options.name, 'artifacts')
  return Object.freeze({
    name,
    root,
    folder: options.folder,
    filename: options.filename,
    encode: options.encode,
    encoderVersion,
    source,
    metadata: options.metadata ?? (() => ({})),
    identity: options.identity,
    time: options.time,
    tool,
    quota,
  })
}

function checkSource<F>(source: SourceCodec<F>): void {
  refuseUnknown('artifacts.source', source, ['encode', 'decode', 'version'])
  for (const option of ['encode', 'decode'] as const) {
    if (typeof source[option] !== 'function')
      throw invalidOption(`artifacts.source.${option}`, 'a function', source[option])
  }
  checkVersion('artifacts.source.version', source.version)
}

function resolveQuota(options: QuotaOptions): QuotaSettings {
  refuseUnknown('artifacts.quota', options, ['maxBytes', 'maxFiles', 'whenFull', 'keep'])
  const { maxBytes = Infinity, maxFiles = Infinity, whenFull = 'refuse', keep = isReviewed } = options
  checkLimit('artifacts.quota.maxBytes', maxBytes)
  checkLimit('artifacts.quota.maxFiles', maxFiles)
  if (whenFull !== 'refuse' && whenFull !== 'collect')
    throw invalidOption('artifacts.quota.whenFull', "'refuse' or 'collect'", whenFull)
  if (typeof keep !== 'function') throw invalidOption('artifacts.quota.keep', 'a function', keep)
  return { maxBytes, maxFiles, whenFull, keep }
}

function isReviewed({ review }: ArtifactInfo): boolean {
  return Object.keys(review).length > 0
}

/** Refuses what is no whole number from 0, or `Infinity`. */
export function checkLimit(option: string, value: number): void {
  if (value !== Infinity && !(Number.isSafeInteger(value) && value >= 0))
    throw invalidOption(option, 'a whole number from 0, or Infinity', value)
}

function checkVersion(option: string, value: unknown): void {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > VERSION_MAX)
    throw invalidOption(option, 'a whole number from 1', value)
}
