// The frames sidecar: everything an artifact is made from, in one file that proves itself. Magic, format version, flags,
// version of the source codec, two lengths, a header of JSON, the encoded frames, SHA-256 of all before it. Bytes and JSON
// only: nothing in it can be run or revived as code (contract C7, `files-are-private`).

import type { Identity } from '../entry.ts'
import { TidemarkError } from '../errors.ts'
import { sha256 } from './hash.ts'
import { isIdentity, isJsonObject, type JsonObject } from './json.ts'

/** What a frames sidecar says besides the frames: enough to write the metadata sidecar anew. */
export interface ContainerHeader {
  readonly folder: string
  readonly filename: string
  readonly identity: Identity
  readonly time: string
  readonly metadata: JsonObject
}

/** A frames sidecar, read and proved. */
export interface Container {
  readonly header: ContainerHeader
  /** The version of the source codec that wrote the payload. */
  readonly sourceVersion: number
  /** The encoded frames: a view of the bytes that were given. */
  readonly payload: Uint8Array
  /** Bytes of the whole file. */
  readonly size: number
  /** Of the whole file but its last 32 bytes, hex; what those bytes say. */
  readonly sha256: string
}

const MAGIC = Buffer.from('TIDEFRMS')
const FORMAT = 1
const HEAD_BYTES = 24
const HASH_BYTES = 32

/** The bytes of a frames sidecar: equal for equal input. */
export async function encodeContainer(
  header: ContainerHeader,
  sourceVersion: number,
  payload: Uint8Array,
): Promise<Buffer> {
  const json = Buffer.from(JSON.stringify(header))
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + json.byteLength + payload.byteLength + HASH_BYTES)
  MAGIC.copy(bytes)
  bytes.writeUInt8(FORMAT, 8)
  bytes.writeUInt8(0, 9)
  bytes.writeUInt16BE(0, 10)
  bytes.writeUInt32BE(sourceVersion, 12)
  bytes.writeUInt32BE(json.byteLength, 16)
  bytes.writeUInt32BE(payload.byteLength, 20)
  json.copy(bytes, HEAD_BYTES)
  bytes.set(payload, HEAD_BYTES + json.byteLength)
  const end = bytes.byteLength - HASH_BYTES
  bytes.set(await sha256(bytes.subarray(0, end)), end)
  return bytes
}

/** Reads a frames sidecar. `where` names it in messages. Errors: `artifact-malformed`, `artifact-newer`. */
export async function decodeContainer(bytes: Uint8Array, where: string): Promise<Container> {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.byteLength < HEAD_BYTES + HASH_BYTES) throw malformed(where, `it has ${view.byteLength} bytes`)
  if (!view.subarray(0, MAGIC.byteLength).equals(MAGIC)) throw malformed(where, 'it does not begin like one')
  const [format, flags] = [view.readUInt8(8), view.readUInt16BE(10) || view.readUInt8(9)]
  if (format > FORMAT || (format === FORMAT && flags !== 0)) throw newer(where, `format ${format}, flags ${flags}`)
  if (format < FORMAT) throw malformed(where, `it is of format ${format}`)
  const [jsonBytes, payloadBytes] = [view.readUInt32BE(16), view.readUInt32BE(20)]
  const end = HEAD_BYTES + jsonBytes + payloadBytes
  if (view.byteLength !== end + HASH_BYTES)
    throw malformed(where, `it should have ${end + HASH_BYTES} bytes and has ${view.byteLength}`)
  const hash = view.subarray(end)
  if (!hash.equals(await sha256(view.subarray(0, end)))) throw malformed(where, 'its checksum does not fit')
  return {
    header: headerOf(view.toString('utf8', HEAD_BYTES, HEAD_BYTES + jsonBytes), where),
    sourceVersion: view.readUInt32BE(12),
    payload: view.subarray(HEAD_BYTES + jsonBytes, end),
    size: view.byteLength,
    sha256: hash.toString('hex'),
  }
}

function headerOf(text: string, where: string): ContainerHeader {
  const header = parse(text)
  const { folder, filename, identity, time, metadata } = isJsonObject(header) ? header : {}
  const isWhole = [folder, filename, time].every((it) => typeof it === 'string')
  if (!isWhole || !isIdentity(identity) || !isJsonObject(metadata)) throw malformed(where, 'its header is incomplete')
  return { folder, filename, identity, time, metadata } as ContainerHeader
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The error for a sidecar that is none. */
export function malformed(where: string, why: string, cause?: unknown): TidemarkError {
  return new TidemarkError('artifact-malformed', `${where} cannot be read: ${why}.`, {
    data: { file: where },
    cause,
  })
}

/** The error for a sidecar of a later version. */
export function newer(where: string, what: string): TidemarkError {
  return new TidemarkError('artifact-newer', `${where} was written by a newer program (${what}).`, {
    data: { file: where },
  })
}
