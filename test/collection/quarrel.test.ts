import { isTidemarkError, sqlite } from 'tidemark'
import { expect, it } from 'vitest'
import { testFolder } from '../folder.ts'
import { open, Source } from './source.ts'

const folder = testFolder()

it('somebody who stores another source under the same key meanwhile, every time, does not keep a list from its readers', async () => {
  const path = `${folder}/quarrel.db`
  const [mine, theirs] = [new Source(), new Source()]
  mine.erase(3)
  theirs.record(3)
  const other = open([sqlite({ path })], {}, theirs)
  const { events } = open(
    [sqlite({ path })],
    {
      probe: async () => {
        await other.events.sync('u')
        return mine.probe()
      },
    },
    mine,
  )
  const reading = await events.read('u')
  expect(reading).toMatchObject({ reason: 'loaded', era: 'new', value: mine.items })
  expect(mine.questions()).toEqual(['probe', 'probe', 'probe', '0-3'])
  // Nothing of it was stored: what is there is theirs, or nothing.
  const stored = [...((await events.stored('u')) ?? new Map()).values()]
  for (const item of mine.items) expect(stored).not.toContainEqual(item)
})

it('a collection that was closed does not tell what it stored', async () => {
  const { events, tide } = open([sqlite({ path: ':memory:' })])
  await tide.close()
  const error: unknown = await events.stored('u').catch((it: unknown) => it)
  expect(isTidemarkError(error, 'closed'), String(error)).toBe(true)
})
