import * as fc from 'fast-check'

/** How a source answers: at once, when it is told to, with a failure, never. */
export type SourceState = 'up' | 'held' | 'down' | 'silent'

/** Keys of the resource. */
export const KEYS = ['a', 'b', 'c', 'd'] as const
/** Units whose memory is erased and used again. */
export const UNITS = ['u', 'w'] as const
const PROCESSES_MAX = 3

/** Ways to make a change known. */
export const CHANGES = [
  'set',
  'delete',
  'invalidate',
  'clear',
  'clear-scope',
  'invalidate-scope',
  'invalidate-tag',
  'delete-tag',
  'clear-everything',
] as const

const pick = <T>(...items: T[]): fc.Arbitrary<T> => fc.constantFrom(...items)
const by = fc.nat(PROCESSES_MAX - 1)
const key = fc.nat(KEYS.length - 1).map((i) => KEYS[i] as string)
/** So many turns of the event loop before the next step: few, and steps overlap. */
const turns = fc.oneof({ weight: 2, arbitrary: fc.nat(3) }, { weight: 1, arbitrary: fc.constant(12) })

/** One step of a schedule. */
export const step = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: pick('read' as const), by, key, turns }) },
  { weight: 2, arbitrary: fc.record({ do: pick('refresh' as const), by, key, turns }) },
  { weight: 3, arbitrary: fc.record({ do: pick('change' as const), what: pick('set' as const), by, key, turns }) },
  { weight: 5, arbitrary: fc.record({ do: pick('change' as const), what: pick(...CHANGES), by, key, turns }) },
  { weight: 1, arbitrary: fc.record({ do: pick('drift' as const), key, turns }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: pick('source' as const),
      by,
      is: pick<SourceState>('up', 'held', 'down', 'silent'),
      turns,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: pick('release' as const), load: fc.nat(3), fails: fc.boolean(), turns }) },
  { weight: 4, arbitrary: fc.record({ do: pick('wait' as const), ms: pick(1, 10, 60, 200, 1_000, 5_000), turns }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: pick('fault' as const),
      by,
      line: fc.nat(1),
      operation: pick('get' as const, 'lease' as const, 'put' as const, 'remove' as const, 'keys' as const),
      kind: pick('fail' as const, 'hang' as const, 'delay' as const),
      times: fc.integer({ min: 1, max: 5 }),
      turns,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: pick('cut' as const),
      by,
      line: fc.nat(1),
      state: pick('refused' as const, 'silent' as const, 'deaf' as const),
      turns,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: pick('heal' as const), by, turns }) },
  { weight: 1, arbitrary: fc.record({ do: pick('empty' as const), turns }) },
  { weight: 1, arbitrary: fc.record({ do: pick('restart' as const), by, turns }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: pick('wave' as const), by, unit: pick(...UNITS), index: fc.nat(2), turns }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: pick('erase' as const),
      how: pick('renewed' as const, 'discovered' as const),
      by,
      unit: pick(...UNITS),
      index: fc.nat(2),
      turns,
    }),
  },
)

/** One step of a schedule. */
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Whether processes look on every read, or from time to time. */
export const coherence: fc.Arbitrary<'strict' | 'eventual'> = fc.constantFrom('strict', 'eventual')

/** A whole schedule. */
export const schedule: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 4, maxLength: 60, size: 'max' })
