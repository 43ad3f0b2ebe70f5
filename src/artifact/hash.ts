import { createHash } from 'node:crypto'
import { slices } from '../codec/checksum.ts'

/** SHA-256, giving the event loop a turn after each MiB. */
export async function sha256(bytes: Uint8Array): Promise<Buffer> {
  const hash = createHash('sha256')
  for (const slice of slices(bytes)) {
    hash.update(slice)
    if (slice.byteLength < bytes.byteLength) await new Promise((resolve) => setImmediate(resolve))
  }
  return hash.digest()
}
