import { afterAll } from 'vitest'
import type { TierOptions } from 'tidemark'
import { postgres, type NodePgClient } from 'tidemark/postgres'
import { postgresPlace } from '../process/place.ts'
import { requireService } from '../services.ts'
import { schemasOver } from './schemas.ts'

/** These tests are about what happens, not how fast: a busy machine must not open a guard. */
const budget = '10s'
/** Places take turns with so many schemas: making one takes longer than most tests. None has as many caches at once. */
const SCHEMAS = 6

let waiting = 0

/** True when nothing that was asked of the shared PostgreSQL waits for its answer. */
export function postgresIsIdle(): boolean {
  return waiting === 0
}

/** Tiers over the PostgreSQL everyone uses, each place empty when it is first used; `undefined` where there is none. */
export async function sharedPostgres(): Promise<((place: number) => TierOptions) | undefined> {
  let make: ((place: number) => TierOptions) | undefined
  await requireService('postgres', (url) => {
    const { pool, next, empty } = schemasOver(url)
    const schemas = Array.from({ length: SCHEMAS }, next)
    const emptied = new Map<number, Promise<void>>()
    make = (place) => {
      const schema = schemas[place % SCHEMAS] as string
      const isEmpty = emptied.get(place) ?? empty(schema)
      emptied.set(place, isEmpty)
      const client: NodePgClient = {
        query: async (config) => {
          waiting++
          try {
            await isEmpty
            return await pool.query(config)
          } finally {
            waiting--
          }
        },
      }
      return { tier: postgres({ client, schema }), budget }
    }
  })
  return make
}

/** The same as places for other processes; see `test/process/place.ts`. */
export async function postgresPlaces(): Promise<((place: number) => string) | undefined> {
  let placeOf: ((place: number) => string) | undefined
  await requireService('postgres', (url) => {
    const { next } = schemasOver(url)
    const places = new Map<number, string>()
    placeOf = (place) => {
      const found = places.get(place) ?? postgresPlace(url, next())
      places.set(place, found)
      return found
    }
    afterAll(() => places.clear())
  })
  return placeOf
}
