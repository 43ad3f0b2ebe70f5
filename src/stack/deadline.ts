import { isTidemarkError, TidemarkError } from '../errors.ts'

/**
 * The promise, or a `tier-unavailable` error when it takes longer. Real time, not the cache's clock: this bounds how long
 * a caller waits for a device. What the promise does later is ignored.
 */
export function within<T>(promise: Promise<T>, budgetMs: number, what: string): Promise<T> {
  if (budgetMs === Number.POSITIVE_INFINITY) return promise
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new TidemarkError('tier-unavailable', `${what} took longer than its budget of ${budgetMs} ms.`, {
          data: { budgetMs },
        }),
      )
    }, budgetMs)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** True for what {@link within} rejects with. */
export function isOverBudget(error: unknown): boolean {
  return isTidemarkError(error, 'tier-unavailable') && 'budgetMs' in error.data
}
