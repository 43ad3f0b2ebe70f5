import { describe, expect, it } from 'vitest'
import { isTidemarkError } from 'tidemark'
import { readRevisions } from '../../src/source/read-revisions.ts'
import type { RevisionBatch, RevisionSource } from 'tidemark'

const { signal } = new AbortController()

describe('readRevisions', () => {
  it('asks what is in one batch together, the same one once, and answers in order', async () => {
    const asked: (readonly RevisionSource[])[] = []
    const batch: RevisionBatch = {
      read: async (sources) => {
        asked.push(sources)
        return { revisions: sources.map(({ tables }) => tables.join()), ageMs: 7 }
      },
    }
    const [a, b] = [
      { tables: ['a'], batch },
      { tables: ['b'], batch },
    ] as const
    const other = { tables: ['c'], batch: { read: () => ({ revisions: ['at once'], ageMs: 3 }) } }
    let calls = 0
    const own = (): number => ++calls
    const answer = await readRevisions([own, a, other, b, a, own, async () => 5n], signal)
    expect(answer).toEqual({ revisions: ['1', 'a', 'at once', 'b', 'a', '1', '5'], ageMs: 7 })
    expect(asked).toEqual([[a, b]])
  })

  it('hands the signal on, and throws what a revision throws', async () => {
    const controller = new AbortController()
    let given: AbortSignal | undefined
    await readRevisions([(context) => ((given = context.signal), 'x')], controller.signal)
    expect(given).toBe(controller.signal)
    const refused = async (): Promise<never> => {
      throw new Error('refused')
    }
    await expect(readRevisions([refused], signal)).rejects.toThrow('refused')
  })

  it.for(['', undefined, null, {}, true])('refuses %o as a revision', async (wrong) => {
    const error = await readRevisions([() => wrong as never], signal).catch((thrown: unknown) => thrown)
    expect(isTidemarkError(error, 'invalid-value')).toBe(true)
  })
})
