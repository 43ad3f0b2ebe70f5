// Contract C3, `poison-lines` and `bit-flip`: lines nobody of us wrote, and lines that were damaged.

import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Selector } from 'tidemark'
import { entryOf } from '../../src/testing/tier-cases/case.ts'
import { OpenTier, lineFiles, testPaths, until } from './tier.ts'

const nextPath = testPaths()

async function filled(rows: number): Promise<string> {
  const path = nextPath()
  const open = new OpenTier(path)
  await Promise.all(Array.from({ length: rows }, (_, i) => open.put(`k${i}`, `value ${i}`)))
  await open.tier.close()
  return path
}

describe('poison-lines', () => {
  const POISON: readonly (readonly [string, Buffer])[] = [
    ['a number', Buffer.from('123')],
    ['null', Buffer.from('null')],
    ['a string', Buffer.from('"x"')],
    ['an array', Buffer.from('[1]')],
    ['an object of somebody else', Buffer.from('{"level":30,"msg":"hello"}')],
    ['no JSON', Buffer.from('half a li')],
    ['bytes that are not UTF-8', Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80])],
    ['NUL', Buffer.alloc(300)],
    ['10 MB', Buffer.alloc(10 * 1024 * 1024, 'x')],
    ['an unknown kind', Buffer.from('{"op":"later","crc":"00000000"}')],
    ['an entry in another layout', Buffer.from('{"op":"set","name":"users","key":"other","value":1,"crc":"00000000"}')],
  ]

  it.for(POISON)('%s: skipped, counted, and nothing behind it is hidden [proxies 19]', async ([, line]) => {
    const path = await filled(3)
    const file = lineFiles(path)[0] as string
    const open = new OpenTier(path)
    await open.put('before', 1)
    await open.tier.close()
    appendFileSync(file, Buffer.concat([line, Buffer.from('\n')]))
    const second = new OpenTier(path)
    expect(second.corrupt).toHaveLength(1)
    await second.put('behind', 2)
    await second.tier.close()
    const third = new OpenTier(path)
    for (let i = 0; i < 3; i++) expect(await third.get(`k${i}`)).toBe(`value ${i}`)
    expect([await third.get('before'), await third.get('behind')]).toEqual([1, 2])
  })

  it('a line of somebody else that looks like a removal removes nothing', async () => {
    const path = await filled(3)
    for (const line of [
      '{"kind":"all"}',
      '{"op":"remove","kind":"name","name":"users"}',
      '{"name":"users","key":"k1"}',
    ]) {
      appendFileSync(lineFiles(path)[0] as string, `${line}\n`)
    }
    const open = new OpenTier(path)
    expect(open.corrupt).toHaveLength(3)
    for (let i = 0; i < 3; i++) expect(await open.get(`k${i}`)).toBe(`value ${i}`)
  })

  it('all of them in a process that is running', async () => {
    const path = await filled(3)
    const open = new OpenTier(path)
    for (const [, line] of POISON)
      appendFileSync(lineFiles(path)[0] as string, Buffer.concat([line, Buffer.from('\n')]))
    await open.put('new', 1)
    expect(open.corrupt).toHaveLength(POISON.length)
    expect([await open.get('k1'), await open.get('new')]).toEqual(['value 1', 1])
  })

  it('kept aside when compaction throws their file away [proxies 12]', async () => {
    const path = await filled(3)
    appendFileSync(lineFiles(path)[0] as string, '{"level":30,"msg":"keep me"}\n')
    const open = new OpenTier(path)
    for (let i = 0; i < 1_000; i++) void open.put('same', 'x'.repeat(1_000))
    await open.put('last', 1)
    await until(() => lineFiles(path).some((name) => name.includes('base-')))
    await until(() => existsSync(join(path, 'damaged.txt')))
    expect(readFileSync(join(path, 'damaged.txt'), 'utf8')).toBe('{"level":30,"msg":"keep me"}\n')
    expect(statSync(join(path, 'damaged.txt')).mode & 0o777).toBe(0o600)
    expect(await open.get('k1')).toBe('value 1')
  })

  it('a damaged removal is still one: what it was about is not found again', async () => {
    const path = await filled(3)
    const file = lineFiles(path)[0] as string
    const open = new OpenTier(path)
    await open.tier.remove({ kind: 'key', key: { name: 'users', id: 'k1' } })
    await open.tier.close()
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, `${text.slice(0, text.lastIndexOf('"crc"'))}"crc":"01234567"}\n`)
    const again = new OpenTier(path)
    expect(again.corrupt).toHaveLength(1)
    expect(await again.get('k1')).toBeUndefined()
    expect(await again.get('k2')).toBe('value 2')
  })
})

it('whatever is done to a file: it opens, what is found was stored under its key, and it goes on', async () => {
  const path = nextPath()
  const first = new OpenTier(path)
  const stored = new Map<string, unknown[]>()
  for (let i = 0; i < 60; i++) {
    const [key, value] = [`k${i % 9}`, { i, text: 'x'.repeat(i * 7) }]
    if (i % 5 === 4) await first.tier.remove({ kind: 'scope', scope: `s${i % 3}` })
    else if (i % 5 === 3) await first.add(key, value, { scope: `s${i % 3}`, tags: ['t'], identity: ['a', i] })
    else await first.put(key, value, { scope: `s${i % 3}`, staleUntil: i })
    stored.set(key, [...(stored.get(key) ?? []), value])
  }
  await first.tier.close()
  const good = readFileSync(lineFiles(path)[0] as string)
  const damage = fc.record({
    kind: fc.constantFrom('overwrite', 'insert', 'cut', 'repeat'),
    at: fc.nat(good.byteLength - 1),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 700 }),
  })
  const property = fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 6 }), async (damages) => {
    let bad = good
    for (const { kind, at, bytes } of damages) {
      const behind = kind === 'overwrite' || kind === 'cut' ? at + bytes.length : at
      const between = kind === 'cut' ? [] : [kind === 'repeat' ? bad.subarray(at, at + bytes.length) : bytes]
      bad = Buffer.concat([bad.subarray(0, at), ...between, bad.subarray(behind)])
    }
    const copy = nextPath()
    cpSync(path, copy, { recursive: true })
    writeFileSync(lineFiles(copy)[0] as string, bad)
    const open = new OpenTier(copy)
    for (const [key, values] of stored) {
      const value = await open.get(key)
      if (value !== undefined) expect(values).toContainEqual(value)
    }
    expect(await open.put('new', 1)).toBe(true)
    await open.tier.close()
    const again = new OpenTier(copy)
    expect(await again.get('new')).toBe(1)
    await again.tier.close()
    rmSync(copy, { recursive: true })
  })
  await fc.assert(property, { numRuns: Number(process.env['MODEL_RUNS'] ?? 150), verbose: 1 })
}, 120_000)

describe('bit-flip', () => {
  const REMOVALS: readonly (readonly [string, Selector, boolean?])[] = [
    ['a tag', { kind: 'tag', tag: 't' }],
    ['a mark of a tag', { kind: 'tag', tag: 't' }, true],
    ['a scope', { kind: 'scope', scope: 's' }],
    ['a scope of one name', { kind: 'scope', scope: 's', name: 'users' }],
    ['an era', { kind: 'era', era: 'e', scope: 's' }],
    ['a name', { kind: 'name', name: 'users' }],
    ['all', { kind: 'all' }],
    ['a key', { kind: 'key', key: { name: 'users', id: 'k' } }],
    ['a long tag', { kind: 'tag', tag: 't'.repeat(70_000) }],
  ]

  it.for(REMOVALS)('in the removal of %s: what it removed is not found again', async ([, selector, isMark]) => {
    const path = nextPath()
    const first = new OpenTier(path)
    const member = { scope: 's', era: 'e', tags: [selector.kind === 'tag' ? selector.tag : 't'] }
    await first.put('k', 'removed', { ...member, staleUntil: first.clock.now() })
    const file = lineFiles(path)[0] as string
    const start = statSync(file).size
    // Loaded before, stored behind it: refused, and its line stays in the file.
    const lease = await first.tier.lease()
    const removal = first.tier.remove(selector, isMark ? first.clock.now() : undefined)
    const late = first.tier.put(entryOf(first.clock, 'users', 'k', 'loaded before', member), lease)
    await removal
    expect(await late).toBe(false)
    await first.put('behind', 'kept')
    await first.tier.close()
    const good = readFileSync(file)
    const end = good.indexOf('\n', start)
    const slotAt = good.indexOf('"slot":', start) - 1
    for (let at = start; at < end; at++) {
      // Every bit of the slot, and some of all others; a long text is the same everywhere.
      const isInSlot = at >= slotAt && at < slotAt + 16
      if (!isInSlot && (at % 3 > 0 || (at > start + 60 && at < slotAt - 10))) continue
      for (const bit of isInSlot ? [0, 1, 2, 3, 4, 5, 6, 7] : [Math.floor(at / 3) % 8]) {
        const bad = Buffer.from(good)
        bad[at] = (bad[at] as number) ^ (1 << bit)
        const copy = nextPath()
        cpSync(path, copy, { recursive: true })
        writeFileSync(lineFiles(copy)[0] as string, bad)
        const again = new OpenTier(copy)
        const found = (await again.tier.get({ name: 'users', id: 'k' })) as { freshUntil: number } | undefined
        const where = `bit ${bit} of byte ${at - start} of ${good.toString('utf8', start, Math.min(end, start + 300))}`
        if (!isMark || !found) expect(found, where).toBeUndefined()
        else expect(found.freshUntil, where).toBeLessThanOrEqual(first.clock.now())
        expect(await again.get('behind'), where).toBe('kept')
        await again.tier.close()
        rmSync(copy, { recursive: true })
      }
    }
  })

  it('any flipped bit is a miss and a count, never a wrong value and never an older one', async () => {
    const path = nextPath()
    const first = new OpenTier(path)
    const rows = 12
    for (const version of ['old', 'new']) {
      for (let i = 0; i < rows; i++) await first.put(`k${i}`, `${version} ${i}`, { scope: `s${i % 3}`, tags: ['t'] })
    }
    await first.tier.remove({ kind: 'key', key: { name: 'users', id: 'k3' } })
    await first.tier.close()
    const file = lineFiles(path)[0] as string
    const good = readFileSync(file)
    const half = good.indexOf('new 0') - 500
    let seen = 0
    let seed = 4_711
    for (let round = 0; round < 1_200; round++) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      const copy = nextPath()
      cpSync(path, copy, { recursive: true })
      const bad = Buffer.from(good)
      const at = half + (seed % (bad.byteLength - half))
      bad[at] = (bad[at] as number) ^ (1 << ((seed >>> 24) % 8))
      writeFileSync(lineFiles(copy)[0] as string, bad)
      const open = new OpenTier(copy)
      for (let i = 0; i < rows; i++) {
        const value = await open.get(`k${i}`)
        if (value !== undefined)
          expect(value, `round ${round}, byte ${at}, key ${i}`).toBe(i === 3 ? undefined : `new ${i}`)
      }
      seen += open.corrupt.length
      await open.tier.close()
      rmSync(copy, { recursive: true })
    }
    expect(seen, 'most flips are noticed').toBeGreaterThan(1_000)
  }, 120_000)
})
