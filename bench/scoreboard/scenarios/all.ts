import type { Scenario } from '../scenario.ts'
import { COUNT } from './count.ts'
import { DATA } from './data.ts'
import { FLIGHT } from './flight.ts'
import { INSTANCES } from './instances.ts'
import { LOADING } from './loading.ts'
import { STALE } from './stale.ts'
import { TIER } from './tier.ts'
import { TIME } from './time.ts'

/** Every scenario, by what it is about. */
export const SECTIONS: Readonly<Record<string, readonly Scenario[]>> = {
  'Changes while something loads': LOADING,
  Loads: FLIGHT,
  'Past its lifetime': STALE,
  'A second tier in trouble': TIER,
  'Several instances': INSTANCES,
  Values: DATA,
  Time: TIME,
  Counts: COUNT,
}
