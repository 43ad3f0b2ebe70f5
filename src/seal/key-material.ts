// Keys as people give them. No message here says anything of a key but how long it is.

import { createHash, createSecretKey, hkdfSync, scryptSync, type KeyObject } from 'node:crypto'
import { TidemarkError } from '../errors.ts'

/** A key made of words a person chose. */
export interface Passphrase {
  readonly passphrase: string
  /** At least 8 characters that no other installation uses; not secret, and the same for ever. */
  readonly salt: string
}

/** 32 bytes, their text as base64, base64url or hex, or a passphrase. */
export type KeyMaterial = string | Uint8Array | Passphrase

/** One key of a keyring. Nothing is sealed under it itself: keys for that are derived from it. */
export interface MasterKey {
  /** What people call it. */
  readonly label: string
  /** Taken from the key, so it is the same wherever the key is, whatever it is called there. Stands in every envelope. */
  readonly id: number
  readonly secret: KeyObject
}

const KEY_BYTES = 32
const SALT_CHARACTERS_MIN = 8
const LABEL = /^[\w.@-]+$/
/** Shorter than the text of any key: a key in the place of its label is refused, and in no message. */
const LABEL_CHARACTERS_MAX = 32
/** 128 MiB and a fifth of a second, once for each passphrase. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 } as const

/**
 * Checks a key and its label. `stretched` holds what passphrases became, so that each is stretched once.
 * Errors: `invalid-option`.
 */
export function masterKey(label: string, material: KeyMaterial, stretched: Map<string, KeyObject>): MasterKey {
  if (label.length > LABEL_CHARACTERS_MAX)
    throw refused(
      `Expected the label of a key to have at most ${LABEL_CHARACTERS_MAX} characters, got ${label.length}.`,
    )
  if (!LABEL.test(label)) throw refused('Expected the label of a key to be letters, digits, `-`, `_`, `.` and `@`.')
  const secret = secretOf(label, material, stretched)
  return { label, id: idOf(secret), secret }
}

/** The id of a key as people see it. */
export function shownId(id: number): string {
  return id.toString(16).padStart(8, '0')
}

function secretOf(label: string, material: KeyMaterial, stretched: Map<string, KeyObject>): KeyObject {
  if (typeof material === 'string') return ofBytes(label, decoded(material))
  if (material instanceof Uint8Array) return ofBytes(label, Buffer.from(material))
  const { passphrase, salt } = material ?? {}
  if (typeof passphrase !== 'string' || passphrase === '' || typeof salt !== 'string')
    throw refused(`Expected the key ${label} to be 32 bytes, their text, or { passphrase, salt }.`)
  if (salt.length < SALT_CHARACTERS_MIN)
    throw refused(`Expected the salt of the key ${label} to have at least ${SALT_CHARACTERS_MIN} characters.`)
  const words = JSON.stringify([salt, passphrase.normalize('NFC')])
  const digest = createHash('sha256').update(words).digest('base64')
  let secret = stretched.get(digest)
  if (!secret) {
    secret = ofBytes(label, scryptSync(passphrase.normalize('NFC'), salt, KEY_BYTES, SCRYPT))
    stretched.set(digest, secret)
  }
  return secret
}

function decoded(text: string): Buffer {
  if (/^[\da-f]+$/i.test(text) && text.length === KEY_BYTES * 2) return Buffer.from(text, 'hex')
  return /^[\w+/-]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : Buffer.alloc(0)
}

/** Takes the bytes: they are overwritten. */
function ofBytes(label: string, bytes: Buffer): KeyObject {
  if (bytes.byteLength !== KEY_BYTES) {
    const came = bytes.byteLength === 0 ? 'something else' : `${bytes.byteLength} bytes`
    throw refused(
      `Expected the key ${label} to be ${KEY_BYTES} bytes, as base64 or hex where it is a text, got ${came}.`,
    )
  }
  const secret = createSecretKey(bytes)
  bytes.fill(0)
  return secret
}

function idOf(secret: KeyObject): number {
  return Buffer.from(hkdfSync('sha256', secret, '', 'tidemark/key-id/1', 4)).readUInt32BE(0)
}

function refused(message: string): TidemarkError {
  return new TidemarkError('invalid-option', message, {
    data: { option: 'keyring' },
    hint: 'Make a key with `openssl rand -base64 32`; docs/sealing.md shows how keys are given.',
  })
}
