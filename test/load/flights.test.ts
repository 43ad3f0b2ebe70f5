import { describe, expect, it } from 'vitest'
import type { Selector } from 'tidemark'
import { Flights, type FlightSubject } from '../../src/load/flights.ts'
import { slotOfKey, slotOfScope, slotOfTag, SLOT_OF_ALL } from '../../src/slot.ts'

const subject = (more: Partial<FlightSubject> = {}): FlightSubject => ({
  key: { name: 'users', id: 'a' },
  scope: 's',
  era: 'e',
  mayHaveTags: false,
  ...more,
})

describe('a change while a load is under way', () => {
  const cases: readonly (readonly [Selector, Partial<FlightSubject>, boolean])[] = [
    [{ kind: 'key', key: { name: 'users', id: 'a' } }, {}, true],
    [{ kind: 'key', key: { name: 'users', id: 'b' } }, {}, false],
    [{ kind: 'name', name: 'users' }, {}, true],
    [{ kind: 'scope', scope: 's' }, {}, true],
    [{ kind: 'scope', scope: 's', name: 'others' }, {}, false],
    [{ kind: 'scope', scope: 's' }, { scope: undefined }, false],
    [{ kind: 'era', era: 'e', scope: 's' }, {}, true],
    [{ kind: 'era', era: 'f', scope: 's' }, {}, false],
    [{ kind: 'tag', tag: 'any' }, { mayHaveTags: true }, true],
    [{ kind: 'tag', tag: 'any' }, { mayHaveTags: false }, false],
    [{ kind: 'all' }, {}, true],
  ]

  it.for(cases)('%j, of %j: detaches it: %s', ([selector, more, detaches]) => {
    const flights = new Flights<number>()
    const flight = flights.start(subject(more), 0, () => new Promise(() => {}))
    flights.fence({ selector })
    expect(flights.get('a')).toBe(detaches ? undefined : flight)
    expect(flights.size, 'it still flies').toBe(1)
  })

  it('in another process, told by slots', () => {
    for (const [slots, more, detaches] of [
      [[slotOfKey({ name: 'users', id: 'a' })], {}, true],
      [[slotOfKey({ name: 'users', id: 'b' })], {}, false],
      [[5, slotOfScope('s')], {}, true],
      [[slotOfTag('t')], {}, false],
      [[slotOfTag('t')], { mayHaveTags: true }, true],
      [[SLOT_OF_ALL], {}, true],
      ['all', {}, true],
    ] as const) {
      const flights = new Flights<number>()
      flights.start(subject(more), 0, () => new Promise(() => {}))
      flights.fence({ slots })
      expect(flights.get('a') === undefined, JSON.stringify([slots, more])).toBe(detaches)
    }
  })
})

it('lands: what is over is forgotten, also when it failed, and nobody has to listen', async () => {
  const flights = new Flights<number>()
  flights.start(subject(), 0, () => Promise.reject(new Error('nobody listens')))
  await flights.start(subject({ key: { name: 'users', id: 'b' } }), 0, () => Promise.resolve(1)).promise
  await new Promise((resolve) => setImmediate(resolve))
  expect([flights.size, flights.get('a'), flights.get('b')]).toEqual([0, undefined, undefined])
})

it('one that takes another one’s place supersedes it, and stays when that lands', async () => {
  const flights = new Flights<number>()
  const first = Promise.withResolvers<number>()
  const old = flights.start(subject(), 0, () => first.promise)
  const young = flights.start(subject(), 0, () => new Promise(() => {}))
  expect([old.isSuperseded, young.isSuperseded]).toEqual([true, false])
  first.resolve(1)
  await old.promise
  await new Promise((resolve) => setImmediate(resolve))
  expect(flights.get('a')).toBe(young)
})

it('all are aborted with the reason, the detached ones as well', () => {
  const flights = new Flights<number>()
  const all = ['a', 'b'].map((id) =>
    flights.start(subject({ key: { name: 'users', id } }), 0, () => new Promise(() => {})),
  )
  flights.fence({ selector: { kind: 'key', key: { name: 'users', id: 'a' } } })
  flights.abortAll('closing')
  expect(all.map(({ controller }) => controller.signal.reason as unknown)).toEqual(['closing', 'closing'])
})
