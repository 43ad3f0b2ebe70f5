// C4 and `bit-flip`: what lies in Redis is read as it was written, or not at all.

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTidemarkError } from 'tidemark'
import { decodeFrame, encodeFrame } from '../../src/tier/frame.ts'
import { FakeClock } from 'tidemark/testing'
import { requireService } from '../services.ts'
import { entryOf, groupsOver, valueOf } from './tiers.ts'

const clock = new FakeClock()
const rich = entryOf(
  clock,
  'key',
  { n: 1, text: 'é 🌊', list: [1, 2, 3] },
  {
    scope: 'scope',
    era: 'era',
    tags: ['one', 'two'],
    identity: ['w', null, 3],
    revision: 'r1',
    freshUntil: clock.now() + 1_000,
    staleUntil: clock.now() + 2_000,
    errorUntil: clock.now() + 3_000,
    keepUntil: clock.now() + 4_000,
  },
)

/** Frames as each released version wrote them; they are read for ever. A new version adds its own. */
const RELEASED: readonly (readonly [string, string])[] = [
  [
    'version 1',
    'VE0BAAAAAAAAAAAAAAAAAAAAAAApvQfzQnuNrFtAAABCe42sW36AAECPQAAAAAAAQJ9AAAAAAABAp3AAAAAAAAAAAC4AAAA1AAAABnNzY29wZQAAABBlWyJlcmEiLCJzY29wZSJdAAAABHRvbmUAAAAEdHR3b3siZXJhIjoiZXJhIiwiaWRlbnRpdHkiOlsidyIsbnVsbCwzXSwicmV2aXNpb24iOiJyMSJ9eyJuIjoxLCJ0ZXh0Ijoiw6kg8J+MiiIsImxpc3QiOlsxLDIsM119',
  ],
]

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('\ud800', 'a\0b', ''),
)
const time = fc.integer({ min: 0, max: 8_640_000_000_000 })

it('every entry comes back as it was', () => {
  const entries = fc.record(
    {
      id: fc.oneof(fc.string(), fc.string({ minLength: 600, maxLength: 700 })),
      value: fc.jsonValue(),
      loadedAt: time,
      freshUntil: time,
      windows: fc.tuple(time, time, time),
      scope: text,
      era: text,
      tags: fc.uniqueArray(text, { minLength: 1, maxLength: 4 }),
      revision: text,
    },
    { requiredKeys: ['id', 'value', 'loadedAt', 'freshUntil', 'windows'] },
  )
  fc.assert(
    fc.property(entries, ({ id, windows, freshUntil, ...parts }) => {
      const [staleUntil, errorUntil, keepUntil] = windows.map((ms) => freshUntil + ms) as [number, number, number]
      const entry = entryOf(clock, id, 0, { ...parts, freshUntil, staleUntil, errorUntil, keepUntil })
      const { bytes, ...back } = decodeFrame(encodeFrame(entry).bytes, entry.key)
      expect(bytes).toBeGreaterThan(0)
      // An absent part and an undefined one are the same; -0 in a value is not 0.
      expect(JSON.parse(JSON.stringify(back))).toEqual(JSON.parse(JSON.stringify(entry)))
      expect(back.value).toEqual(entry.value)
    }),
  )
})

it('bit-flip: any flipped bit is an error, never another entry', () => {
  const { bytes } = encodeFrame(rich)
  const original = decodeFrame(bytes, rich.key)
  for (let at = 0; at < bytes.byteLength; at++) {
    for (let bit = 0; bit < 8; bit++) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] as number) ^ (1 << bit)
      let read: unknown
      try {
        read = decodeFrame(flipped, rich.key)
      } catch (error) {
        expect(isTidemarkError(error, 'tier-corrupt') || isTidemarkError(error, 'tier-newer'), `${at}.${bit}`).toBe(
          true,
        )
        continue
      }
      expect(read, `byte ${at}, bit ${bit}`).toEqual(original)
      throw new Error(`byte ${at}, bit ${bit} changes nothing`)
    }
  }
})

it('a frame that is cut off anywhere is an error', () => {
  const { bytes } = encodeFrame(rich)
  for (let length = 0; length < bytes.byteLength; length++) {
    expect(() => decodeFrame(bytes.subarray(0, length), rich.key), String(length)).toThrow('A stored frame')
  }
})

it.for(RELEASED)('skewed-versions: the frame of %s is read', ([, base64]) => {
  expect(decodeFrame(Buffer.from(base64, 'base64'), rich.key)).toMatchObject({
    value: rich.value,
    loadedAt: rich.loadedAt,
    freshUntil: rich.freshUntil,
    keepUntil: rich.keepUntil,
    scope: 'scope',
    era: 'era',
    tags: ['one', 'two'],
    identity: ['w', null, 3],
    revision: 'r1',
  })
})

await requireService('redis', (url) => {
  const newGroup = groupsOver(url)

  describe('in Redis', () => {
    async function stored(): Promise<{ group: ReturnType<typeof newGroup>; key: string }> {
      const group = newGroup()
      await group.join().tier.put(entryOf(group.clock, 'a', 'value', { tags: ['t'] }))
      const key = (await group.keys()).find((it) => it.endsWith(':ka')) as string
      return { group, key }
    }

    it('bit-flip: a damaged entry is a miss and a count, once, and is removed', async () => {
      const { group, key } = await stored()
      const { tier, reports } = group.join()
      const bytes = (await group.client.getBuffer(key)) as Buffer
      bytes[bytes.length - 2] = (bytes[bytes.length - 2] as number) ^ 4
      await group.client.set(key, bytes)
      expect(await tier.get({ name: 'users', id: 'a' })).toBeUndefined()
      expect(reports).toMatchObject([{ kind: 'corrupt', key: { id: 'a' } }])
      await tier.get({ name: 'users', id: 'b' })
      expect(await group.client.exists(key)).toBe(0)
      expect(await tier.count({ kind: 'tag', tag: 't' })).toBe(0)
      expect(await tier.get({ name: 'users', id: 'a' })).toBeUndefined()
      expect(reports.length).toBe(1)
    })

    it('skewed-versions: what a newer version wrote is a miss and a count, and is left to it', async () => {
      for (const [at, value] of [
        [2, 2],
        [3, 0x80],
      ] as const) {
        const { group, key } = await stored()
        const member = group.join()
        const bytes = (await group.client.getBuffer(key)) as Buffer
        bytes[at] = value
        await group.client.set(key, bytes)
        expect(await valueOf(member, 'a')).toBeUndefined()
        expect(member.reports).toMatchObject([{ kind: 'corrupt', key: { id: 'a' } }])
        await valueOf(member, 'b')
        expect(((await group.client.getBuffer(key)) as Buffer).equals(bytes)).toBe(true)
        // It can be removed and replaced all the same.
        expect(await member.tier.remove({ kind: 'tag', tag: 't' }, group.clock.now())).toBe(1)
        expect(await group.client.exists(key)).toBe(0)
      }
    })

    it('a mark that was damaged is a miss', async () => {
      const { group, key } = await stored()
      const member = group.join()
      await member.tier.remove({ kind: 'name', name: 'users' }, group.clock.now())
      expect(await member.tier.get({ name: 'users', id: 'a' })).toBeUndefined()
      await member.tier.put(entryOf(group.clock, 'a', 'v', { freshUntil: group.clock.now() + 10 }))
      await member.tier.remove({ kind: 'name', name: 'users' }, group.clock.now())
      expect((await member.tier.get({ name: 'users', id: 'a' }))?.staleAt).toBe(group.clock.now())
      await group.client.setrange(key, 8, 'x')
      expect(await member.tier.get({ name: 'users', id: 'a' })).toBeUndefined()
      expect(member.reports).toMatchObject([{ kind: 'corrupt' }])
    })
  })
})
