import type { Clock } from '../clock.ts'
import { TidemarkError, describe } from '../errors.ts'
import { keyOfId } from '../key.ts'
import type { CheckResult, HealthSettings } from './options.ts'
import type { Outcome } from './state.ts'

/** Runs a check before its deadline. Whatever it does, there is an outcome; one that never answers has failed. */
export async function runCheck<V>(
  { check, timeoutMs }: HealthSettings<V>,
  id: string,
  value: V,
  clock: Clock,
  stopping: AbortSignal,
): Promise<Outcome> {
  const startedAt = clock.now()
  const deadline = new AbortController()
  const late = Promise.withResolvers<never>()
  // Only awaited in the race below, which may be over before this is rejected.
  late.promise.catch(() => {})
  const cancel = clock.schedule(timeoutMs, () => {
    const error = new TidemarkError('load-timeout', `No answer within ${timeoutMs} ms.`)
    deadline.abort(error)
    late.reject(error)
  })
  try {
    const context = { key: keyOfId(id), signal: AbortSignal.any([deadline.signal, stopping]) }
    const checked = (async () => check(value, context))()
    return outcomeOf(await Promise.race([checked, late.promise]), clock.now() - startedAt)
  } catch (error) {
    const message = error instanceof Error ? error.message : describe(error)
    return { ok: false, responseMs: clock.now() - startedAt, error: message }
  } finally {
    cancel()
  }
}

function outcomeOf(result: CheckResult, tookMs: number): Outcome {
  if (typeof result?.ok !== 'boolean') {
    return { ok: false, responseMs: tookMs, error: `The check answered ${describe(result)} instead of { ok }.` }
  }
  const { ok, responseMs = tookMs, error } = result
  return error === undefined ? { ok, responseMs } : { ok, responseMs, error }
}
