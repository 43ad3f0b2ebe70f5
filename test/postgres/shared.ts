import type { TierOptions } from 'tidemark'
import { postgres } from 'tidemark/postgres'
import { postgresPlace } from '../process/place.ts'
import { requireService } from '../services.ts'
import { emptyPlaces, schemasOver } from './schemas.ts'

/** These tests are about what happens, not how fast: a busy machine must not open a guard. */
const budget = '10s'
/** No test has as many caches at once. */
const SCHEMAS = 6

/** Tiers over the PostgreSQL everyone uses, each place empty when it is first used; `undefined` where there is none. */
export async function sharedPostgres(): Promise<((place: number) => TierOptions) | undefined> {
  let make: ((place: number) => TierOptions) | undefined
  await requireService('postgres', (url) => {
    const placeOf = emptyPlaces(schemasOver(url), SCHEMAS)
    make = (place) => ({ tier: postgres(placeOf(place)), budget })
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
  })
  return placeOf
}
