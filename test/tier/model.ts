// Random work of three processes that share a tier against a plain list of entries: after every step all of them read, list
// and count exactly what the list says.

import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { selects, staleFrom, type Entry } from '../../src/entry.ts'
import type { Selector } from 'tidemark'
import { entryOf, type Member, type Members } from './member.ts'

/** A server goes by real time, of which a run takes little. */
const UNIT_MS = 60_000
const NAMES = ['users', 'teams'] as const
const IDS = ['a', 'b', 'c', 'x'.repeat(600)] as const
const member = fc.nat({ max: 2 })
const key = fc.record({ name: fc.constantFrom(...NAMES), id: fc.constantFrom(...IDS) })
const scope = fc.constantFrom('s1', 's2')
const era = fc.constantFrom('e1', 'e2')
const tag = fc.constantFrom('t1', 't2', 't3')

const entries = fc.record({
  key,
  value: fc.integer(),
  scope: fc.option(scope, { nil: undefined }),
  era: fc.option(era, { nil: undefined }),
  tags: fc.option(fc.uniqueArray(tag, { minLength: 1 }), { nil: undefined }),
  fresh: fc.integer({ min: 1, max: 50 }),
  keep: fc.integer({ min: 0, max: 50 }),
})

const selector: fc.Arbitrary<Selector> = fc.oneof(
  key.map((it) => ({ kind: 'key', key: it }) as const),
  scope.map((it) => ({ kind: 'scope', scope: it }) as const),
  fc.tuple(scope, fc.constantFrom(...NAMES)).map(([it, name]) => ({ kind: 'scope', scope: it, name }) as const),
  fc.tuple(era, scope).map(([it, where]) => ({ kind: 'era', era: it, scope: where }) as const),
  tag.map((it) => ({ kind: 'tag', tag: it }) as const),
  fc.constantFrom(...NAMES).map((name) => ({ kind: 'name', name }) as const),
  fc.constant({ kind: 'all' } as const),
)

const steps = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), by: member, entry: entries }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('load' as const), by: member, entry: entries }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), by: member, selector }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('mark' as const), by: member, selector }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), units: fc.integer({ min: 1, max: 60 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('sweep' as const), by: member, limit: fc.integer({ min: 1, max: 5 }) }),
  },
)

const idOf = ({ name, id }: { name: string; id: string }): string => `${name}/${id.length > 10 ? 'long' : id}`

/** The test every tier of several machines must pass. `checkEmpty` looks at what is left when everything is past its time. */
export function testAgainstList<G extends Members>(
  newGroup: () => G,
  checkEmpty: (group: G) => Promise<void>,
  numRuns: number,
): void {
  it('three processes and a list agree after every step', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(steps, { minLength: 5, maxLength: 40 }),
        fc.array(selector, { minLength: 3 }),
        async (work, asked) => {
          const group = newGroup()
          const { clock } = group
          const members = [group.join(), group.join(), group.join()] as const
          let model: Entry[] = []
          const live = (): Entry[] => model.filter(({ keepUntil }) => clock.now() < keepUntil)
          const write = (entry: Entry): void => {
            model = [...model.filter(({ key: { name, id } }) => name !== entry.key.name || id !== entry.key.id), entry]
          }
          for (const step of work) {
            if (step.do === 'pass') {
              await clock.advance(step.units * UNIT_MS)
              continue
            }
            const { tier } = members[step.by] as Member
            if (step.do === 'sweep') await tier.sweep(clock.now(), step.limit)
            else if (step.do === 'remove') {
              const expected = live().filter((it) => selects(step.selector, it)).length
              expect(await tier.remove(step.selector)).toBe(expected)
              model = model.filter((it) => !selects(step.selector, it))
            } else if (step.do === 'mark') {
              await tier.remove(step.selector, clock.now())
              model = model.map((it) => (selects(step.selector, it) ? staleFrom(it, clock.now()) : it))
            } else {
              const { fresh, keep, ...parts } = step.entry
              const freshUntil = clock.now() + fresh * UNIT_MS
              const times = {
                freshUntil,
                staleUntil: freshUntil,
                errorUntil: freshUntil,
                keepUntil: freshUntil + keep * UNIT_MS,
              }
              const entry: Entry = { ...entryOf(clock, '', 0), ...parts, ...times }
              const lease = step.do === 'load' ? await tier.lease() : undefined
              const stored = await tier.put(entry, lease)
              // A lease may fail for a change that was not heard of; what is refused is not stored, and it was an own change then.
              if (stored) write(entry)
              else expect(step.do).toBe('load')
            }
          }
          for (const { tier } of members) {
            for (const name of NAMES) {
              for (const id of IDS) {
                const expected = live().find((it) => it.key.name === name && it.key.id === id)
                const found = await tier.get({ name, id })
                expect(found?.value, idOf({ name, id })).toBe(expected?.value)
                expect(found?.freshUntil).toBe(expected?.freshUntil)
                expect(found?.keepUntil).toBe(expected?.keepUntil)
              }
            }
            for (const one of asked) {
              const expected = live()
                .filter((it) => selects(one, it))
                .map((it) => idOf(it.key))
                .toSorted()
              const listed: string[] = []
              for await (const info of tier.keys(one)) listed.push(idOf(info.key))
              expect(listed.toSorted()).toEqual(expected)
              expect(await tier.count(one)).toBe(expected.length)
            }
          }
          await clock.advance('1d')
          for (let i = 0; i < 30; i++) await members[0].tier.sweep(clock.now(), 100)
          await checkEmpty(group)
          for (const each of members) await each.tier.close()
        },
      ),
      { numRuns },
    )
  })
}
