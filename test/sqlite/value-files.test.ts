import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FILE_VALUE_BYTES } from '../../src/tier/value-files.ts'
import { entryOf } from '../../src/testing/tier-cases/case.ts'
import { openTier, testPaths, until, type OpenTier } from './tier.ts'

const nextPath = testPaths()
const KEY = { name: 'users', id: 'a' }
const large = (text: string): string => text.repeat(Math.ceil((FILE_VALUE_BYTES + 1) / text.length))
const put = ({ tier, clock }: OpenTier, id: string, value: unknown): Promise<boolean> =>
  Promise.resolve(tier.put(entryOf(clock, 'users', id, value)))

const filesOf = (path: string): string[] => {
  const folder = `${path}.values`
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((it) => it.isFile())
    .map((it) => join(it.parentPath, it.name))
}

/** Makes files as old as the collector waits for. */
const age = (path: string): void => {
  const then = new Date(Date.now() - 11 * 60_000)
  for (const file of filesOf(path)) utimesSync(file, then, then)
}

/** The collector comes with every so many sweeps. */
const collect = async ({ tier, clock }: OpenTier): Promise<void> => {
  for (let i = 0; i < 64; i++) await tier.sweep(clock.now(), 500)
}

describe('large values', () => {
  it('lie in private files of their own, named by their content; small ones do not', async () => {
    const open = openTier(nextPath())
    const value = large('tide')
    await put(open, 'small', 'x'.repeat(FILE_VALUE_BYTES - 2))
    expect(filesOf(open.path)).toEqual([])
    await put(open, 'a', value)
    const [file] = filesOf(open.path) as [string]
    const content = readFileSync(file)
    expect(content.toString()).toBe(JSON.stringify(value))
    expect(file.endsWith(createHash('sha256').update(content).digest('hex'))).toBe(true)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(file)).mode & 0o777).toBe(0o700)
    expect(statSync(`${open.path}.values`).mode & 0o777).toBe(0o700)
    expect((await open.tier.get(KEY))?.value).toBe(value)
  })

  it('equal values share one file', async () => {
    const open = openTier(nextPath())
    for (const id of ['a', 'b', 'c']) await put(open, id, large('same'))
    await put(open, 'd', large('other'))
    expect(filesOf(open.path)).toHaveLength(2)
  })

  it('survive a restart, whatever they are made of', async () => {
    const path = nextPath()
    const first = openTier(path)
    const values = {
      text: large('é日🌊'),
      bytes: Buffer.alloc(100_000, 'tide'),
      samples: { at: new Date(5), data: new Int16Array(50_000).fill(-7) },
    }
    for (const [id, value] of Object.entries(values)) await put(first, id, value)
    await first.tier.close()
    const { tier } = openTier(path)
    for (const [id, value] of Object.entries(values))
      expect((await tier.get({ name: 'users', id }))?.value, id).toEqual(value)
  })
})

describe('the collector', () => {
  it('takes files that no row names any more, after a time of grace', async () => {
    const open = openTier(nextPath())
    for (const id of ['removed', 'replaced', 'cleared', 'kept']) await put(open, id, large(id))
    await open.tier.remove({ kind: 'key', key: { name: 'users', id: 'removed' } })
    await put(open, 'replaced', 'small')
    await open.tier.put(entryOf(open.clock, 'others', 'cleared', large('others')))
    await open.tier.remove({ kind: 'name', name: 'others' })
    await collect(open)
    expect(filesOf(open.path), 'the row of a young file may be about to be written').toHaveLength(5)
    age(open.path)
    await collect(open)
    const left = filesOf(open.path).map((file) => readFileSync(file, 'utf8').slice(1, 5))
    expect(left.toSorted()).toEqual(['clea', 'kept'])
    expect((await open.tier.get({ name: 'users', id: 'kept' }))?.value).toBe(large('kept'))
  })

  it('a file that is wanted again is young again', async () => {
    const open = openTier(nextPath())
    await put(open, 'a', large('again'))
    await open.tier.remove({ kind: 'key', key: KEY })
    age(open.path)
    await put(open, 'b', large('again'))
    await open.tier.remove({ kind: 'key', key: { name: 'users', id: 'b' } })
    await collect(open)
    expect(filesOf(open.path)).toHaveLength(1)
  })

  it('what a killed process left half written goes at the next open; what a running one is writing stays [proxies 11]', async () => {
    const path = nextPath()
    const folder = join(`${path}.values`, 'ab')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `abcd.tmp-999999999-12345678`), 'half')
    writeFileSync(join(folder, `abcd.tmp-${process.ppid}-12345678`), 'half')
    const open = openTier(path)
    expect(filesOf(path).map((file) => file.includes(String(process.ppid)))).toEqual([true])
    age(path)
    await collect(open)
    expect(filesOf(path)).toHaveLength(1)
  })
})

describe('damage', () => {
  it.for([
    ['changed', (file: string) => writeFileSync(file, readFileSync(file).fill(0x78, 100, 101))],
    ['cut', (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 100))],
    ['emptied', (file: string) => writeFileSync(file, '')],
  ] as const)('a file that was %s is a miss, told, and written anew with the next equal value', async ([, damage]) => {
    const open = openTier(nextPath())
    await put(open, 'a', large('tide'))
    damage(filesOf(open.path)[0] as string)
    expect(await open.tier.get(KEY)).toBeUndefined()
    expect(open.reports).toMatchObject([
      { kind: 'corrupt', key: KEY, message: expect.stringContaining('damaged') as string },
    ])
    await until(() => filesOf(open.path).length === 0)
    await put(open, 'a', large('tide'))
    expect((await open.tier.get(KEY))?.value).toBe(large('tide'))
  })

  it('a file that is gone is a miss', async () => {
    const path = nextPath()
    const open = openTier(path)
    await put(open, 'a', large('tide'))
    age(path)
    await open.tier.remove({ kind: 'key', key: KEY })
    await collect(open)
    await put(open, 'a', large('tide'))
    expect((await open.tier.get(KEY))?.value).toBe(large('tide'))
    expect(open.reports).toEqual([])
  })
})

describe('order and closing', () => {
  it('later changes win over a large value that is still being written, of every kind', async () => {
    const open = openTier(nextPath())
    const { tier, clock } = open
    const scoped = (): Promise<boolean> =>
      Promise.resolve(tier.put(entryOf(clock, 'users', 'a', large('old'), { scope: 's', tags: ['t'] })))
    for (const selector of [
      { kind: 'key', key: KEY },
      { kind: 'scope', scope: 's' },
      { kind: 'tag', tag: 't' },
      { kind: 'name', name: 'users' },
      { kind: 'all' },
    ] as const) {
      const written = scoped()
      await Promise.all([written, tier.remove(selector)])
      expect(await tier.get(KEY), selector.kind).toBeUndefined()
    }
    const written = scoped()
    await Promise.all([written, tier.remove({ kind: 'scope', scope: 'other' })])
    expect((await tier.get(KEY))?.value, 'what is not concerned stays').toBe(large('old'))
  })

  it('a value that was acknowledged is there after a close that did not wait for it', async () => {
    const path = nextPath()
    const first = openTier(path)
    const acknowledged = ['small', large('tide'), Buffer.alloc(300_000, 'tide')].map((value, i) =>
      put(first, String(i), value).then(
        () => [String(i), value] as const,
        () => undefined,
      ),
    )
    await first.tier.close()
    const { tier } = openTier(path)
    for (const done of await Promise.all(acknowledged)) {
      expect(done).toBeDefined()
      if (done) expect((await tier.get({ name: 'users', id: done[0] }))?.value).toEqual(done[1])
    }
  })
})
