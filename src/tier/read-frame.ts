import { withValue } from '../codec/stored.ts'
import type { Entry } from '../entry.ts'
import { TidemarkError, isTidemarkError } from '../errors.ts'
import { isPromise, type MaybePromise } from './tier.ts'

/** What reading a frame needs of the tier around it. */
export interface FrameReading {
  readonly now: () => number
  /** It is a miss; `tier-newer` was written by a newer version, anything else nobody can read. */
  readonly unreadable: (error: TidemarkError) => void
}

/** The entry that `decode` makes of a frame; `undefined` for one that is past its time, or cannot be read. */
export function readFrame(decode: () => Entry, { now, unreadable }: FrameReading): MaybePromise<Entry | undefined> {
  const ifKept = (entry: Entry): Entry | undefined => (now() < entry.keepUntil ? entry : undefined)
  const failed = (error: unknown): undefined => {
    unreadable(
      isTidemarkError(error)
        ? error
        : new TidemarkError('tier-corrupt', 'A stored frame does not decode.', { cause: error }),
    )
    return undefined
  }
  try {
    const entry = withValue(decode())
    return isPromise(entry) ? entry.then(ifKept).catch(failed) : ifKept(entry)
  } catch (error) {
    return failed(error)
  }
}
