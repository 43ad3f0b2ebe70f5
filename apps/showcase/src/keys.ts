import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { keyring, type Keyring } from 'tidemark/seal'

/** The showcase's own keyring: made at the first start and kept in its data folder, readable by its owner only. */
export function showcaseKeyring(dataDir: string): Keyring {
  const path = join(dataDir, 'keys')
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  if (!existsSync(path))
    writeFileSync(path, `showcase=${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
  return keyring.fromFile(path)
}
