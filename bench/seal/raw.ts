import { createCipheriv, createDecipheriv, randomBytes, randomFillSync, type KeyObject } from 'node:crypto'

const CIPHER = 'aes-256-gcm'

/** What one would write by hand: nonce, ciphertext, tag, and nothing of where they belong but some bytes beside them. */
export function rawSeal(text: string, key: KeyObject, about: Buffer, nonce: Buffer = randomBytes(12)): Buffer {
  const cipher = createCipheriv(CIPHER, key, nonce)
  cipher.setAAD(about)
  const sealed = cipher.update(text, 'utf8')
  cipher.final()
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()])
}

/** The text of {@link rawSeal}. */
export function rawOpen(envelope: Buffer, key: KeyObject, about: Buffer): string {
  const decipher = createDecipheriv(CIPHER, key, envelope.subarray(0, 12))
  decipher.setAAD(about)
  decipher.setAuthTag(envelope.subarray(-16))
  return decipher.update(envelope.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')
}

const pool = Buffer.alloc(12 * 256)
let used = pool.byteLength

/** Random bytes from a reserve, as ours are. */
export function reservedNonce(): Buffer {
  if (used === pool.byteLength) {
    randomFillSync(pool)
    used = 0
  }
  return pool.subarray(used, (used += 12))
}
