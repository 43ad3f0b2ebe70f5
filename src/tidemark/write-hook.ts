import { invalidOption, refuseUnknown } from '../errors.ts'
import type { View } from '../view/view.ts'

/** Options of `tide.writeHook`. */
export interface WriteHookOptions {
  /** Tags to invalidate, by the table whose writes they depend on. Sections of views need none: they know their tables. */
  readonly tags?: Readonly<Record<string, readonly string[]>> | undefined
}

/** What a hook needs of the cache. */
export interface HookHost {
  readonly views: readonly Pick<View<object, unknown>, 'written'>[]
  readonly isClosed: () => boolean
  invalidateTag(tag: string): Promise<number>
}

/**
 * Tells a cache of committed writes. Made by `tide.writeHook`; handed to `watchWrites` of `tidemark/kysely` or
 * `tidemark/drizzle`, or called after a commit.
 */
export class WriteHook {
  readonly #tags: ReadonlyMap<string, readonly string[]>
  readonly #host: HookHost

  constructor(options: WriteHookOptions, host: HookHost) {
    refuseUnknown('writeHook()', options, ['tags'])
    const { tags = {} } = options
    const isList = (it: unknown): boolean => Array.isArray(it) && it.every((tag) => typeof tag === 'string')
    if (typeof tags !== 'object' || tags === null || !Object.values(tags).every(isList))
      throw invalidOption('writeHook.tags', 'an object of lists of tags by table', tags)
    this.#tags = new Map(Object.entries(tags).map(([table, its]) => [lastPart(table), [...its]]))
    this.#host = host
  }

  /**
   * Call it after the commit, never before: a reader in between would store what is about to change. Resolves when this
   * process knows, and never fails: a write that is committed is not undone by a cache that cannot be told.
   *
   * @param tables as the application or the database names them, with or without their schema
   */
  async committed(tables: readonly string[]): Promise<void> {
    if (tables.length === 0 || this.#host.isClosed()) return
    const tags = new Set(tables.flatMap((table) => this.#tags.get(lastPart(table)) ?? []))
    const told = [
      ...this.#host.views.map((view) => view.written(tables)),
      ...[...tags].map((tag) => this.#host.invalidateTag(tag)),
    ]
    await Promise.allSettled(told)
  }
}

function lastPart(table: string): string {
  return table.slice(table.lastIndexOf('.') + 1).replaceAll('"', '')
}
