// Sections made of other sections: they never speak of what is there no more.

import { describe, expect, it } from 'vitest'
import { isTidemarkError, memory, sqlite, type TidemarkOptions } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { settled, subject } from '../contract/stacks.ts'
import { testFolder } from '../folder.ts'

const folder = testFolder()

/** Totals are made of progress and of tasks; the headline of the totals. */
function board(options: Partial<TidemarkOptions> = {}) {
  const { tide } = subject({ tiers: [memory()], ...options, clock: new FakeClock() })
  const data = { tasks: 1, progress: 1 }
  const built: string[] = []
  const note = <T>(name: string, value: T): T => {
    built.push(name)
    return value
  }
  const view = tide.view({
    name: 'board',
    sections: {
      tasks: { revision: () => data.tasks, build: () => note('tasks', data.tasks) },
      headline: {
        dependsOn: ['totals'],
        build: ({ sections }) => note('headline', `${sections['totals'] as number} in all`),
      },
      totals: {
        dependsOn: ['tasks', 'progress'],
        build: ({ sections }) => note('totals', (sections['tasks'] as number) + (sections['progress'] as number)),
      },
      progress: { revision: () => data.progress, build: () => note('progress', data.progress) },
    },
  })
  return { tide, view, data, built }
}

describe('dependsOn', () => {
  it('a section moves with those it is made of, and is built after them [summary 6]', async () => {
    const { view, data, built } = board()
    expect(await view.get()).toEqual({ tasks: 1, headline: '2 in all', totals: 2, progress: 1 })
    expect(built.splice(0)).toEqual(['tasks', 'progress', 'totals', 'headline'])
    data.progress = 5
    expect(await view.read()).toMatchObject({ status: 'partial', value: { headline: '6 in all', totals: 6 } })
    expect(built.splice(0)).toEqual(['progress', 'totals', 'headline'])
    expect((await view.read()).status).toBe('hit')
  })

  it('when the main section moves, what depends on it is rebuilt with it', async () => {
    const { view, data, built } = board()
    await view.get()
    built.length = 0
    data.tasks = 3
    expect(await view.read()).toMatchObject({ status: 'stale', value: { headline: '2 in all' } })
    await settled()
    expect(await view.read()).toMatchObject({ status: 'hit', value: { headline: '4 in all' } })
    expect(built).toEqual(['tasks', 'totals', 'headline'])
  })

  it('an invalidated section takes what depends on it along', async () => {
    const { view, built } = board()
    await view.get()
    built.length = 0
    await view.invalidate('progress')
    expect((await view.read()).status).toBe('partial')
    expect(built).toEqual(['progress', 'totals', 'headline'])
  })

  it('across a restart: totals that were stored with other progress do not count', async () => {
    const path = `${folder}/board.db`
    const first = board({ tiers: [memory(), sqlite({ path })] })
    await first.view.get()
    await first.tide.close()
    const second = board({ tiers: [memory(), sqlite({ path })] })
    second.data.progress = 9
    expect(await second.view.read()).toMatchObject({ status: 'partial', value: { totals: 10, headline: '10 in all' } })
    expect(second.built).toEqual(['progress', 'totals', 'headline'])
  })

  it('refuses circles, and sections that do not exist', () => {
    const { tide } = subject({ tiers: [memory()], clock: new FakeClock() })
    const build = (): number => 1
    const make = (sections: Record<string, { dependsOn?: string[]; build: () => number }>) => () =>
      tide.view({ name: 'circle', sections })
    for (const wrong of [
      make({ a: { dependsOn: ['b'], build }, b: { dependsOn: ['a'], build } }),
      make({ a: { dependsOn: ['a'], build } }),
      make({ a: { dependsOn: ['toString'], build } }),
      make({ a: { build } }),
    ]) {
      let error: unknown
      try {
        wrong()
      } catch (thrown) {
        error = thrown
      }
      expect(isTidemarkError(error, 'invalid-option')).toBe(true)
    }
  })
})
