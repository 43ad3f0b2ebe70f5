import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import type { MasterKey } from './key-material.ts'

/** So many messages may be sealed under one derived key: nonces are random, and two equal ones would give it away. */
export const MESSAGES_MAX: number = 2 ** 32

/** The key that seals for one purpose under one name: what is stolen or broken there opens nothing else. */
export class DerivedKey {
  /** The id of the key it was derived from. */
  readonly id: number
  readonly secret: KeyObject
  /** How many messages this process has sealed under it. */
  sealed = 0

  constructor(master: MasterKey, purpose: string, name: string) {
    this.id = master.id
    const info = `tidemark/seal/1 ${JSON.stringify([purpose, name])}`
    const bytes = Buffer.from(hkdfSync('sha256', master.secret, '', info, 32))
    this.secret = createSecretKey(bytes)
    bytes.fill(0)
  }
}
