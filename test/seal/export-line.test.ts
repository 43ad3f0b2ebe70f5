// One line holds all of an entry, in whatever pieces it comes.

import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Entry } from 'tidemark'
import { checkedLine, entryOfFields, fieldsOf, fieldsOfEntry } from '../../src/tidemark/export-line.ts'
import { linesOf } from '../../src/tidemark/lines.ts'
import { storable, text } from '../codec/storable.ts'
import { listOf } from './stacks.ts'

describe('a line', () => {
  const time = fc.maxSafeNat()
  const optional = <T>(it: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(it, { nil: undefined })
  const entry: fc.Arbitrary<Entry> = fc.record(
    {
      key: fc.record({ name: text, id: text }, { noNullPrototype: true }),
      value: storable.filter((it) => it !== undefined),
      loadedAt: time,
      freshUntil: time,
      staleUntil: time,
      errorUntil: time,
      keepUntil: time,
      scope: optional(text),
      era: optional(text),
      tags: optional(fc.array(text, { maxLength: 3 })),
      identity: optional(fc.array(fc.oneof(text, fc.integer(), fc.constant(null)), { maxLength: 3 })),
      revision: optional(text),
    },
    { noNullPrototype: true },
  )

  it('holds all of an entry, whatever is in it, and is one line', async () => {
    await fc.assert(
      fc.asyncProperty(entry, optional(time), async (plain, staleAt) => {
        const whole = staleAt === undefined ? plain : { ...plain, staleAt }
        const line = checkedLine(fieldsOfEntry(whole))
        const [only, ...more] = await listOf(linesOf([line]))
        expect(more).toEqual([])
        assert.deepStrictEqual(entryOfFields(fieldsOf(only?.text ?? '')), whole)
      }),
    )
  })

  it('comes through whatever pieces a stream makes of it', async () => {
    await fc.assert(
      fc.asyncProperty(entry, fc.array(fc.nat(4_000), { maxLength: 8 }), async (plain, cuts) => {
        const bytes = Buffer.from(`${checkedLine(fieldsOfEntry(plain))}\nlast`)
        const ends = [...cuts.map((cut) => cut % bytes.byteLength), bytes.byteLength].toSorted((a, b) => a - b)
        const pieces = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
        const lines = await listOf(linesOf(pieces))
        expect(lines.map(({ number }) => number)).toEqual([1, 3])
        assert.deepStrictEqual(entryOfFields(fieldsOf(lines[0]?.text ?? '')), plain)
      }),
    )
  })
})
