import { setTimeout as sleep } from 'node:timers/promises'
import { settled, shown, unless, type Scenario } from '../scenario.ts'

/** Kinds of values that applications have, and JSON does not. */
const RICH: Readonly<Record<string, unknown>> = {
  Date: new Date('2026-03-01T12:00:00Z'),
  Map: new Map([['a', 1]]),
  Set: new Set([1, 2]),
  BigInt: 2n ** 70n,
  Buffer: Buffer.from([0, 255, 10]),
  Float64Array: new Float64Array([1.5, Number.NaN]),
  NaN: Number.NaN,
  'an undefined field': { a: 1, b: undefined },
}
const EMPTY: readonly unknown[] = [null, 0, false, '']

/** What goes in comes out, and nobody else can change it. */
export const DATA: readonly Scenario[] = [
  {
    name: 'empty-values-are-values',
    does: 'Loads that bring `null`, `0`, `false` and `""` are stored: the next reader gets just that without a load.',
    uses: [],
    play: async ({ open, source }) => {
      for (const value of EMPTY) {
        const origin = source(value)
        const cache = await open({ load: origin.load })
        const got = [await settled(cache.get('k')), await settled(cache.get('k'))]
        if (!Object.is(got[0], value) || !Object.is(got[1], value)) return `${shown(value)} became ${shown(got)}`
        if (origin.loads !== 1) return `${shown(value)} was loaded ${origin.loads} times`
      }
      return undefined
    },
  },
  {
    name: 'values-survive',
    does: `After a restart these are what they were: ${Object.keys(RICH).join(', ')}.`,
    uses: ['second tier'],
    play: async ({ open, source, remote }) => {
      const tier = await remote()
      const wrong: string[] = []
      for (const [kind, value] of Object.entries(RICH)) {
        const origin = source(value)
        const needs = { load: origin.load, remote: tier, isRich: true, name: kind.replaceAll(' ', '') }
        const first = await open(needs)
        const stored = await settled(first.get(kind))
        await sleep(20)
        await first.close()
        const second = await open(needs)
        const got = stored instanceof Error ? stored : await settled(second.get(kind))
        if (unless(got, value, '') !== undefined) wrong.push(`${kind} became ${shown(got)}`)
        else if (origin.loads !== 1) wrong.push(`${kind} was not stored`)
      }
      return wrong.length === 0 ? undefined : wrong.join('; ')
    },
  },
  {
    name: 'mutation-cannot-poison',
    does: 'A reader changes the object it got; the next reader gets it as it was loaded (the change may be refused).',
    uses: [],
    play: async ({ open }) => {
      const load = async (): Promise<unknown> => ({ roles: ['reader'] })
      const cache = await open({ load, isIsolated: true })
      for (let i = 0; i < 2; i++) {
        const got = (await cache.get('k')) as { roles: string[] }
        try {
          got.roles.push('admin')
        } catch {
          // Refused: that is as good.
        }
      }
      return unless(await cache.get('k'), { roles: ['reader'] }, 'the next reader got')
    },
  },
]
