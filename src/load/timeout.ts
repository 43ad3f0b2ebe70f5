import { durationMs, type Duration } from '../duration.ts'
import { refuseUnknown } from '../errors.ts'

/** How long a load may take. */
export interface TimeoutOptions {
  /** After this a reader gets the stale value, if one may still be handed out, and the load goes on. Defaults to never. */
  readonly soft?: Duration | undefined
  /** After this the load is given up. Defaults to 30 s. */
  readonly hard?: Duration | undefined
}

/** Defaults to this long for one load. */
export const DEFAULT_HARD_TIMEOUT_MS = 30_000

/** Errors: `invalid-option`, `invalid-duration`, `unknown-option`. */
export function resolveTimeout(
  timeout: TimeoutOptions | undefined,
  option: string,
  defaults: TimeoutOptions = {},
): { softMs: number; hardMs: number } {
  refuseUnknown(option, timeout ?? {}, ['soft', 'hard'])
  const { soft = defaults.soft ?? Number.POSITIVE_INFINITY } = timeout ?? {}
  const { hard = defaults.hard ?? DEFAULT_HARD_TIMEOUT_MS } = timeout ?? {}
  return { softMs: durationMs(soft, `${option}.soft`), hardMs: durationMs(hard, `${option}.hard`) }
}
