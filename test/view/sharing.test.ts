// What did not change stays the same object.

import * as fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { memory } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { share } from '../../src/view/share.ts'
import { settled, subject } from '../contract/stacks.ts'
import { hub } from './hub.ts'

const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(0, -0, 1, 'a', '', null, true, Number.NaN, 5n),
    fc.constantFrom(0, 1).map((time) => new Date(time)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom('id', 'a', 'b', '__proto__', 'length'), tie('value'), {
      maxKeys: 4,
      noNullPrototype: true,
    }),
    fc.uniqueArray(fc.integer({ min: 0, max: 3 })).map((ids) => ids.map((id) => ({ id, list: [id] }))),
    fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 2 }).map((items) => new Set(items)),
    fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), tie('value')), { maxLength: 2 }).map((pairs) => new Map(pairs)),
  ),
})).value

describe('share', () => {
  it('is the next value, made of the previous one; changes neither', () => {
    fc.assert(
      fc.property(value, value, (previous, next) => {
        const [before, after] = [structuredClone(previous), structuredClone(next)]
        const shared = share(previous, next)
        expect(isDeepStrictEqual(shared, next)).toBe(true)
        expect(JSON.stringify(shared, text)).toBe(JSON.stringify(next, text))
        expect(previous).toEqual(before)
        expect(next).toEqual(after)
      }),
      { numRuns: 1_000 },
    )
  })

  it('is the previous value itself when they are equal', () => {
    fc.assert(
      fc.property(value, (previous) => {
        expect(Object.is(share(previous, structuredClone(previous)), previous)).toBe(true)
      }),
    )
  })

  it('keeps what is inside', () => {
    const previous = { a: { x: [1, 2] }, b: { y: 1 }, c: new Date(5) }
    const shared = share(previous, { a: { x: [1, 2] }, b: { y: 2 }, c: new Date(5) })
    expect(shared).toEqual({ a: { x: [1, 2] }, b: { y: 2 }, c: new Date(5) })
    expect(shared.a).toBe(previous.a)
    expect(shared.c).toBe(previous.c)
    expect(shared.b).not.toBe(previous.b)
  })

  it('knows the items of a list by their id, wherever they moved', () => {
    const item = (id: number, text = 'x') => ({ id, text })
    const previous = [item(1), item(2), item(3)]
    const shared = share(previous, [item(4), item(1), item(2, 'y')])
    expect(shared).toEqual([item(4), item(1), item(2, 'y')])
    expect(shared[1]).toBe(previous[0])
  })

  it('the order of names counts: a client sees it', () => {
    expect(Object.keys(share({ a: 1, b: 2 }, { b: 2, a: 1 }))).toEqual(['b', 'a'])
  })
})

describe('a view', () => {
  it('hands out the same object while nothing moves, and the same parts when something does', async () => {
    const { view, source } = hub()
    const first = await view.get()
    expect(await view.get()).toBe(first)
    source.progress = 1
    const second = await view.get()
    expect(second).not.toBe(first)
    expect(second.core).toBe(first.core)
    await view.read({ refresh: true })
    expect(await view.get()).toBe(second)
  })

  it('the combined value too', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    let revision = 0
    const view = tide.view({
      name: 'v',
      sections: {
        core: {
          revision: () => revision,
          build: () => ({
            list: [
              { id: 1, open: [1, 2] },
              { id: 2, open: [revision] },
            ],
          }),
        },
      },
      combine: ({ core }) => ({ ...core, at: revision }),
    })
    const first = await view.get()
    revision = 1
    await view.read()
    await settled()
    const second = await view.get()
    expect(second).toEqual({
      list: [
        { id: 1, open: [1, 2] },
        { id: 2, open: [1] },
      ],
      at: 1,
    })
    expect(second.list[0]).toBe(first.list[0])
  })

  it('cannot be poisoned by whoever changes what it handed out', async () => {
    const { view } = hub()
    const value = (await view.get()) as unknown as { progress: number[] }
    expect(() => value.progress.push(9)).toThrow(TypeError)
    const clone = hub({}, { tide: { tiers: [memory()], isolate: 'clone' } })
    ;((await clone.view.get()) as unknown as { progress: number[] }).progress.push(9)
    expect(await clone.view.get()).toEqual({ core: { n: 0 }, progress: [0] })
  })

  it('with parts that cannot be frozen every reader has a copy of their own', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const view = tide.view({ name: 'v', sections: { a: { revision: () => 1, build: () => new Date(5) } } })
    const first = await view.get()
    first.a.setTime(9)
    expect((await view.get()).a).toEqual(new Date(5))
  })
})

/** Tells apart what JSON does not. */
function text(_name: string, it: unknown): unknown {
  if (typeof it === 'bigint') return `${it}n`
  return it instanceof Set || it instanceof Map ? [...it] : it
}
