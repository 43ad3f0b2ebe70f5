import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Selector } from 'tidemark'
import {
  SLOTS,
  SLOT_OF_ALL,
  slotOfEra,
  slotOfKey,
  slotOfName,
  slotOfScope,
  slotOfSelector,
  slotOfTag,
  slotsOfEntry,
  slotsOfGroups,
} from '../../src/slot.ts'

const text = fc.string({ unit: 'binary', maxLength: 12 })

describe('slots', () => {
  it('lie within their number; 0 stays for "everything"', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const slots = [slotOfKey({ name: a, id: b }), slotOfName(a), slotOfTag(a), slotOfEra(a, b)]
        for (const slot of [...slots, slotOfScope(a), slotOfScope(a, b)]) {
          expect(Number.isInteger(slot)).toBe(true)
          expect(slot).toBeGreaterThan(SLOT_OF_ALL)
          expect(slot).toBeLessThan(SLOTS)
        }
      }),
    )
  })

  it('are the same in every process: they are stored in files and sent to others', () => {
    const names = Array.from({ length: 200 }, (_, i) => `unit ${i} é 🌊 \ud800`)
    const path = fileURLToPath(new URL('../../src/slot.ts', import.meta.url))
    const script = `import { slotOfKey } from ${JSON.stringify(path)}
      console.log(JSON.stringify(${JSON.stringify(names)}.map((id) => slotOfKey({ name: 'users', id }))))`
    const there: unknown = JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }),
    )
    expect(there).toEqual(names.map((id) => slotOfKey({ name: 'users', id })))
  })

  it('are the same in every version: processes of two versions share one file', () => {
    expect([
      slotOfKey({ name: 'users', id: 'a' }),
      slotOfName('users'),
      slotOfScope('s'),
      slotOfScope('s', 'users'),
      slotOfEra('e', 's'),
      slotOfTag('t'),
    ]).toEqual([17_499, 21_320, 45_059, 54_213, 13_464, 29_536])
  })

  it('spread evenly: a million keys of a common form hit a slot as often as chance would have it', () => {
    const hits = new Uint32Array(SLOTS)
    const keys = 1_000_000
    for (let i = 0; i < keys; i++) {
      const slot = slotOfKey({ name: 'users', id: `tcp:10.0.${i & 255}.${i >> 8}:12345` })
      hits[slot] = (hits[slot] as number) + 1
    }
    const expected = keys / (SLOTS - 1)
    let chi = 0
    for (let slot = 1; slot < SLOTS; slot++) chi += ((hits[slot] as number) - expected) ** 2 / expected
    // Chi-square with 65 534 degrees of freedom: mean 65 534, standard deviation 362.
    expect(Math.abs(chi - (SLOTS - 2)) / Math.sqrt(2 * (SLOTS - 2))).toBeLessThan(6)
    expect(hits[SLOT_OF_ALL]).toBe(0)
  })

  it('where text is cut between name and key makes a difference', () => {
    const slots = new Set(
      ['abc', 'ab c', 'a bc', ' abc', 'abc ']
        .map((it) => it.split(' '))
        .map(([a, b]) => slotOfKey({ name: a as string, id: b ?? '' })),
    )
    expect(slots.size).toBe(4)
  })
})

describe('a change and the entries it concerns', () => {
  const member = fc.record({
    scope: fc.option(text, { nil: undefined }),
    era: fc.option(text, { nil: undefined }),
    tags: fc.option(fc.array(text, { maxLength: 3 }), { nil: undefined }),
  })

  it('every selector that means an entry touches one of the slots its lease is checked against', () => {
    fc.assert(
      fc.property(text, text, member, (name, id, groups) => {
        const slots = slotsOfEntry({ name, id }, groups)
        const { scope, era, tags } = groups
        const selectors: Selector[] = [{ kind: 'key', key: { name, id } }, { kind: 'name', name }, { kind: 'all' }]
        if (scope !== undefined) selectors.push({ kind: 'scope', scope }, { kind: 'scope', scope, name })
        if (scope !== undefined && era !== undefined) selectors.push({ kind: 'era', era, scope })
        for (const tag of tags ?? []) selectors.push({ kind: 'tag', tag })
        for (const selector of selectors) expect(slots).toContain(slotOfSelector(selector))
      }),
    )
  })

  it('an entry without groups has none of their slots, an era without a scope is none', () => {
    expect(slotsOfGroups('users', {})).toEqual([])
    expect(slotsOfGroups('users', { era: 'e' })).toEqual([])
    expect(slotsOfGroups('users', { scope: 's', era: 'e', tags: ['x', 'y'] })).toHaveLength(5)
  })
})
