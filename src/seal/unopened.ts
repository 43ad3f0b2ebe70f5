import { TidemarkError, type ErrorCode } from '../errors.ts'
import type { Key } from '../key.ts'
import type { UnopenedReason } from '../observe/event.ts'

const SAID: Readonly<Record<UnopenedReason, readonly [code: ErrorCode, what: string]>> = {
  'unknown-key': ['seal-unknown-key', 'is sealed under a key that is not in the keyring'],
  damaged: ['seal-damaged', 'does not open: it was changed, or it was sealed for another place'],
  clear: ['seal-missing', 'has a declared secret in the clear'],
  undeclared: ['seal-undeclared', 'is sealed, and nothing here declares `secrets` for it'],
}

/** Why a stored value cannot be handed out: a miss with a reason. The value stays where it is. */
export class Unopened {
  readonly reason: UnopenedReason
  readonly error: TidemarkError

  constructor(reason: UnopenedReason, key: Key, keyId?: string) {
    const [code, what] = SAID[reason]
    const which = keyId === undefined ? '' : ` (${keyId})`
    this.reason = reason
    this.error = new TidemarkError(code, `A stored value of ${key.name} ${what}${which}.`, {
      data: { name: key.name, key: key.id, ...(keyId !== undefined && { keyId }) },
    })
  }
}
