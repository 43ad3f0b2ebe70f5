// What a cache makes of committed writes.

import { describe, expect, it } from 'vitest'
import { isTidemarkError, memory, untilInvalidated, type RevisionSource } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { settled, subject } from '../contract/stacks.ts'

/** A view over two tables, a resource with a tag, and what was built. */
function open(options: { caveat?: string; revision?: () => string } = {}) {
  const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
  const built: string[] = []
  const sourceOf = (tables: readonly string[]): RevisionSource => ({
    tables,
    caveat: options.caveat,
    batch: { read: (sources) => ({ revisions: sources.map(() => 'same'), ageMs: 0 }) },
  })
  const note = (name: string): string => {
    built.push(name)
    return name
  }
  const view = tide.view({
    name: 'summary',
    sections: {
      core: { revision: sourceOf(['public.topics', 'tasks']), build: () => note('core') },
      progress: { revision: sourceOf(['events']), build: () => note('progress') },
      own: { revision: () => 'same', tables: ['events', 'notes'], build: () => note('own') },
    },
  })
  const users = tide.resource({
    name: 'users',
    load: (id: number) => note(`user ${id}`),
    tags: () => ['users'],
    freshness: untilInvalidated(),
  })
  const hook = tide.writeHook({ tags: { 'app.users': ['users'] } })
  return { tide, view, users, hook, built }
}

describe('writeHook', () => {
  it('moves the sections that are built from a table, and only them', async () => {
    const { view, hook, built } = open()
    await view.read()
    built.length = 0
    await hook.committed(['events'])
    expect((await view.read()).status).toBe('partial')
    expect(built.splice(0)).toEqual(['progress', 'own'])
    await hook.committed(['tasks'])
    expect((await view.read()).status).toBe('stale')
    await settled()
    expect(built.splice(0)).toEqual(['core'])
    await hook.committed(['other'])
    expect((await view.read()).status).toBe('hit')
  })

  it('tables are the same with and without their schema, quoted or not', async () => {
    const { view, hook } = open()
    await view.read()
    for (const name of ['topics', 'public.topics', '"public"."topics"', 'app.notes', '"notes"']) {
      await hook.committed([name])
      expect((await view.read()).status, name).not.toBe('hit')
      await settled()
      expect((await view.read()).status).toBe('hit')
    }
  })

  it('invalidates tags by table', async () => {
    const { users, hook, built } = open()
    await users.get(1)
    await hook.committed(['tasks'])
    await users.get(1)
    expect(built).toEqual(['user 1'])
    await hook.committed(['users'])
    await users.get(1)
    expect(built).toEqual(['user 1', 'user 1'])
  })

  it('is told in the tiers where the revision does not see everything, so that a restart knows', async () => {
    const stored = async (caveat?: string): Promise<number> => {
      const { tide, view, hook } = open(caveat === undefined ? {} : { caveat })
      await view.read()
      let invalidated = 0
      tide.on('event', (event) => {
        if (event.type === 'invalidated') invalidated++
      })
      await hook.committed(['topics'])
      return invalidated
    }
    expect(await stored()).toBe(0)
    expect(await stored('may miss deletes and late commits')).toBe(1)
  })

  it('never fails: not after the cache was closed, not for nothing', async () => {
    const { tide, hook } = open()
    await hook.committed([])
    await tide.close()
    await hook.committed(['topics'])
  })

  it('refuses what is no list of tags', () => {
    const { tide } = open()
    const refusalOf = (options: unknown): unknown => {
      try {
        tide.writeHook(options as never)
      } catch (error) {
        return error
      }
      return undefined
    }
    expect(isTidemarkError(refusalOf({ tags: { users: 'users' } }), 'invalid-option')).toBe(true)
    expect(isTidemarkError(refusalOf({ tags: 5 }), 'invalid-option')).toBe(true)
    expect(isTidemarkError(refusalOf({ tables: {} }), 'unknown-option')).toBe(true)
  })
})
