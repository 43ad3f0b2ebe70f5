import type { TierState } from '../observe/event.ts'
import type { Capabilities } from '../tier/tier.ts'

/** The state of one tier, as `tide.tiers()` tells it. */
export interface TierStatus {
  readonly tier: string
  readonly state: TierState
  /** In words: the message of the last failure, or what brought it back. */
  readonly reason: string
  /** When it is tried again, while it is out of use. */
  readonly nextProbeAt: number | undefined
  /** In a row, since the last success. */
  readonly failures: { readonly reads: number; readonly writes: number }
  /** What it missed and will be told. `bytes` are about the size of the values in it. */
  readonly journal: { readonly items: number; readonly bytes: number; readonly overflowed: boolean }
  readonly capabilities: Capabilities
}
