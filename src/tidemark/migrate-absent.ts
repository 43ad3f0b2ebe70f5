import { isTidemarkError } from '../errors.ts'
import type { Tier } from '../tier/tier.ts'

/** A tier whose place is not there, and is not to be made: there is nothing in it. */
export function absent({ name, capabilities }: Tier): Tier {
  return {
    name,
    capabilities,
    get: () => undefined,
    lease: () => 0,
    put: () => false,
    remove: () => 0,
    keys: async function* () {},
    count: () => 0,
    sweep: () => 0,
    close: () => {},
  }
}

/** True for what a tier that is only read says of a place that is not there. */
export function isMissing(error: unknown): boolean {
  return isTidemarkError(error, 'tier-unavailable') && error.data['isMissing'] === true
}
