import type { Queries } from '@tidemark/database'

/** What is wrong with the database: `hang`: it takes questions and does not answer; `reset`: it breaks off at once. */
export const OUTAGES = ['none', 'refuse', 'reset', 'hang'] as const
export type OutageKind = (typeof OUTAGES)[number]

/** A switch between a service and its database, to see what an outage does. */
export class Outage {
  #kind: OutageKind = 'none'
  #over = Promise.withResolvers<void>()

  get kind(): OutageKind {
    return this.#kind
  }

  set(kind: OutageKind): void {
    this.#kind = kind
    this.#over.resolve()
    this.#over = Promise.withResolvers()
  }

  /** The same database, as far as the switch lets one. */
  through<T extends Queries>(database: T): T {
    const query: Queries['query'] = async (text, values) => {
      if (this.#kind === 'refuse') throw failure('ECONNREFUSED', 'connect ECONNREFUSED (switched off)')
      if (this.#kind === 'reset') throw failure('ECONNRESET', 'read ECONNRESET (switched off)')
      if (this.#kind === 'hang') {
        await this.#over.promise
        throw failure('ECONNRESET', 'read ECONNRESET (it was switched off)')
      }
      return database.query(text, values)
    }
    return { ...database, query }
  }
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
