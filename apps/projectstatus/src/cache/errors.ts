/** There is no such row, or it is deleted. An answer of the database: the cache never stands in for it. */
export class NotFoundError extends Error {
  override readonly name = 'NotFoundError'

  constructor(kind: 'vendor' | 'work item', key: string) {
    super(`There is no ${kind} ${key}.`)
  }
}

/** The cache cannot say whether it has a value: its file cannot be read now. */
export class CacheReadError extends Error {
  override readonly name = 'CacheReadError'

  constructor(key: string, reason: string) {
    super(`The cache cannot tell whether it has ${key}: its file cannot be read (${reason}).`)
  }
}

/** The cache was used before `open()`, or after `close()`. */
export class NotOpenError extends Error {
  override readonly name = 'NotOpenError'

  constructor(isClosed: boolean) {
    super(
      isClosed ? 'The cache was closed; open() opens it again.' : 'The cache is not open yet: await its open() first.',
    )
  }
}

/** A write that was not made, because the database is away. Nothing is queued. */
export class WriteRefusedError extends Error {
  override readonly name = 'WriteRefusedError'
  /** Milliseconds since 1970 when it is worth trying again; `undefined` where nobody knows. */
  readonly retryAt: number | undefined
  /** It was on its way when the database went: it may have been written. */
  readonly isUncertain: boolean

  constructor(cause: unknown, isUncertain: boolean, retryAt: number | undefined) {
    const why = cause instanceof Error && cause.message !== '' ? cause.message : String(cause)
    super(
      isUncertain
        ? `The database went away during the write (${why}): it may have been made or not. Read before you try again.`
        : `The database cannot be written now (${why}). Nothing was changed, and nothing is queued.`,
      { cause },
    )
    this.isUncertain = isUncertain
    this.retryAt = retryAt
  }
}
