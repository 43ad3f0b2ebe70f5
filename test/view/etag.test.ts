// The entity tag of a snapshot: another one for other content, the same one for the same, whoever built it.

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { memory, sqlite, type TidemarkOptions, type View } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { settled, subject } from '../contract/stacks.ts'
import { testFolder } from '../folder.ts'

const folder = testFolder()

/** A view of one section, rebuilt `now`, whose revision does not see what is built. */
function open(
  build: () => unknown,
  more: { etag?: (value: unknown) => unknown; tiers?: TidemarkOptions['tiers'] } = {},
) {
  const { tide } = subject({ tiers: more.tiers ?? [memory()], clock: new FakeClock() })
  const view: View<{ a: unknown }, unknown> = tide.view<{ a: unknown }, unknown>({
    name: 'v',
    sections: { a: { revision: () => 'r', rebuild: 'now', build } },
    combine: ({ a }) => a,
    etag: more.etag,
  })
  return { tide, view }
}

const tagOf = async (view: View<{ a: unknown }, unknown>): Promise<string> => (await view.read()).etag

describe('the tag of a view', () => {
  it('names the revision, and moves with it', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    let revision = 1
    const view = tide.view({ name: 'v', sections: { a: { revision: () => revision, rebuild: 'now', build: () => 1 } } })
    const first = await view.read()
    expect(first.etag).toMatch(/^W\/"[\w-]{16}\.[\w-]{16}"$/)
    expect(first.etag).toContain(first.revision)
    revision = 2
    expect((await view.read()).etag).not.toBe(first.etag)
  })

  it('is another one when what was invalidated turns out to be something else, its own again when that is taken back', async () => {
    let data = 1
    const { view } = open(() => ({ data }))
    const first = await view.read()
    data = 2
    await view.invalidate('a')
    const second = await view.read()
    expect(second).toMatchObject({ value: { data: 2 }, revision: first.revision })
    expect(second.etag).not.toBe(first.etag)
    // Also of a reading that is asked for it late.
    expect(first.etag).toBe(first.etag)
    data = 1
    expect((await view.read({ refresh: true })).etag).toBe(first.etag)
  })

  it('is asked of a reading, not of the view: the tag of an old reading stays its own', async () => {
    let data = 1
    const { view } = open(() => ({ data }))
    const first = await view.read()
    data = 2
    const second = await view.read({ refresh: true })
    const late = first.etag
    expect(second.etag).not.toBe(late)
    data = 1
    expect((await view.read({ refresh: true })).etag).toBe(late)
  })

  it('stays when the same is built again', async () => {
    const { view } = open(() => ({ list: [1, { two: 2 }] }))
    const first = await tagOf(view)
    await view.invalidate('a')
    expect(await tagOf(view)).toBe(first)
    expect((await view.read({ refresh: true })).etag).toBe(first)
    await view.reset()
    expect(await tagOf(view)).toBe(first)
  })

  it.for<[string, () => unknown]>([
    ['plain JSON', () => ({ a: [1, 'é', null], b: { c: -0 } })],
    ['null', () => null],
    ['text', () => 'text'],
    [
      'what JSON cannot say',
      () => ({ at: new Date(5), ids: new Set([1]), by: new Map([['a', 5n]]), raw: Buffer.from('x') }),
    ],
    ['undefined inside', () => ({ a: undefined })],
  ])('is the same in processes that share nothing, and after a restart: %s', async ([kind, build]) => {
    const path = join(folder, `${kind}.db`)
    const before = open(build, { tiers: [memory(), sqlite({ path })] })
    const first = await tagOf(before.view)
    await before.tide.close()
    let built = 0
    const after = open(() => ++built, { tiers: [memory(), sqlite({ path })] })
    expect(await tagOf(after.view)).toBe(first)
    expect(built).toBe(0)
    expect(await tagOf(open(build).view)).toBe(first)
  })

  it('sees what JSON does not', async () => {
    let ids = new Set([1])
    const { view } = open(() => ({ ids }))
    const first = await tagOf(view)
    ids = new Set([2])
    expect((await view.read({ refresh: true })).etag).not.toBe(first)
  })

  it('of a combined value that nobody can write down is its own for as long as it is there', async () => {
    class Odd {
      readonly large = 5n
    }
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    let data = 1
    const view = tide.view({
      name: 'v',
      sections: { a: { revision: () => 1, build: () => data } },
      combine: ({ a }) => ({ a, odd: new Odd() }),
    })
    const first = (await view.read()).etag
    expect((await view.read()).etag).toBe(first)
    data = 2
    expect((await view.read({ refresh: true })).etag).not.toBe(first)
  })

  it('is made once, at its first use', async () => {
    let made = 0
    let built = 0
    const count = (value: unknown): unknown => {
      made++
      return value
    }
    const { view } = open(() => ({ built: ++built, list: [] }), { etag: count })
    const first = await view.read()
    await view.read()
    expect(made).toBe(0)
    for (let i = 0; i < 3; i++) expect((await view.read()).etag).toBe(first.etag)
    expect(made).toBe(1)
    const second = await view.read({ refresh: true })
    expect([second.etag === first.etag, made]).toEqual([false, 2])
  })

  it('leaves out what `etag` leaves out', async () => {
    let [at, data] = [1, 1]
    const build = (): unknown => ({ data, at: ++at })
    const etag = (value: unknown): unknown => (value as { data: number }).data
    const { view } = open(build, { etag })
    const first = await view.read()
    const second = await view.read({ refresh: true })
    expect(second.value).not.toEqual(first.value)
    expect(second.etag).toBe(first.etag)
    expect(await tagOf(open(build, { etag }).view)).toBe(first.etag)
    data = 2
    expect((await view.read({ refresh: true })).etag).not.toBe(first.etag)
  })

  it('a stale snapshot has the tag of what it holds', async () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    let data = 1
    const view = tide.view({ name: 'v', sections: { a: { revision: () => 1, build: () => data } } })
    const first = await view.read()
    data = 2
    await view.invalidate('a')
    const stale = await view.read()
    expect(stale).toMatchObject({ status: 'stale', etag: first.etag })
    await settled()
    const rebuilt = await view.read()
    expect(rebuilt.status).toBe('hit')
    expect(rebuilt.etag).not.toBe(first.etag)
  })
})
