// One sealed secret as bytes, AES-256-GCM:
//
//   0   magic "TS", version 1, algorithm 1
//   4   id of the key, big-endian
//   8   nonce, 12 bytes, random
//   20  ciphertext
//   …   tag, 16 bytes
//
// Authenticated with it, but not in it: the first 8 bytes, then what the secret belongs to.

import { createCipheriv, createDecipheriv, randomFillSync, type KeyObject } from 'node:crypto'

const CIPHER = 'aes-256-gcm'
const MAGIC_VERSION_ALGORITHM = 0x5453_0101
const HEAD_BYTES = 8
const NONCE_BYTES = 12
const TAG_BYTES = 16
const TEXT_AT = HEAD_BYTES + NONCE_BYTES
const TAG_LENGTH = { authTagLength: TAG_BYTES } as const

/** Asking the system for random bytes costs as much as a quarter of a sealing: it is asked for many nonces at once. */
const nonces = Buffer.alloc(NONCE_BYTES * 256)
let noncesUsed = nonces.byteLength

const scratch = Buffer.alloc(4096)

/** Seals text or bytes under a key; `about` says what they belong to, and has to be the same when they are opened. */
export function sealEnvelope(plain: string | Uint8Array, id: number, secret: KeyObject, about: string): Buffer {
  const nonce = nextNonce()
  const cipher = createCipheriv(CIPHER, secret, nonce)
  const authenticated = authenticatedOf(id, about)
  cipher.setAAD(authenticated)
  const text = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain)
  cipher.final()
  const envelope = Buffer.allocUnsafe(TEXT_AT + text.byteLength + TAG_BYTES)
  authenticated.copy(envelope, 0, 0, HEAD_BYTES)
  nonce.copy(envelope, HEAD_BYTES)
  text.copy(envelope, TEXT_AT)
  cipher.getAuthTag().copy(envelope, TEXT_AT + text.byteLength)
  return envelope
}

/** The id of the key an envelope was sealed under, or `undefined` when the bytes are no envelope. */
export function keyIdOf(envelope: Buffer): number | undefined {
  if (envelope.byteLength < TEXT_AT + TAG_BYTES || envelope.readUInt32BE(0) !== MAGIC_VERSION_ALGORITHM)
    return undefined
  return envelope.readUInt32BE(4)
}

/** What was sealed, or `undefined` when the key or what it belongs to is another, or a bit of it was changed. */
export function openEnvelope(envelope: Buffer, id: number, secret: KeyObject, about: string): Buffer | undefined {
  const tagAt = envelope.byteLength - TAG_BYTES
  const decipher = createDecipheriv(CIPHER, secret, envelope.subarray(HEAD_BYTES, TEXT_AT), TAG_LENGTH)
  decipher.setAAD(authenticatedOf(id, about))
  decipher.setAuthTag(envelope.subarray(tagAt))
  const plain = decipher.update(envelope.subarray(TEXT_AT, tagAt))
  try {
    decipher.final()
    return plain
  } catch {
    // It says no more than that the tag does not fit.
    plain.fill(0)
    return undefined
  }
}

/** The head and what the secret belongs to. In a buffer that the next call may overwrite: ciphers take it at once. */
function authenticatedOf(id: number, about: string): Buffer {
  const fits = about.length <= (scratch.byteLength - HEAD_BYTES) / 3
  const bytes = fits ? scratch : Buffer.allocUnsafe(HEAD_BYTES + Buffer.byteLength(about))
  bytes.writeUInt32BE(MAGIC_VERSION_ALGORITHM, 0)
  bytes.writeUInt32BE(id, 4)
  return bytes.subarray(0, HEAD_BYTES + bytes.write(about, HEAD_BYTES))
}

/** Bytes that nobody gets a second time. */
function nextNonce(): Buffer {
  if (noncesUsed === nonces.byteLength) {
    randomFillSync(nonces)
    noncesUsed = 0
  }
  return nonces.subarray(noncesUsed, (noncesUsed += NONCE_BYTES))
}
