// Dead lines are thrown away, in slices, by one of the processes, and nobody notices but the disk.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { OpenTier, lineFiles, linesOf, testPaths, until } from './tier.ts'

const nextPath = testPaths()
const KB = 'x'.repeat(1_000)
const bytesOf = (path: string): number => lineFiles(path).reduce((sum, file) => sum + statSync(file).size, 0)
const namesOf = (path: string): string[] => lineFiles(path).map((file) => basename(file))

/** Overwrites one key until compaction is due, and waits for it. */
async function churn(open: OpenTier, base = 1): Promise<void> {
  for (let round = 0; round < 10; round++) {
    await Promise.all(Array.from({ length: 300 }, (_, i) => open.put('churn', `${round} ${i} ${KB}`)))
  }
  // Not more often than every two seconds; a sweep finds out as well as an append.
  await until(() => {
    void open.tier.sweep(open.clock.now(), 1)
    return existsSync(join(open.path, `base-${String(base).padStart(8, '0')}.jsonl`))
  })
  await until(() => lineFiles(open.path).length <= 2)
}

describe('compaction', () => {
  it('above half dead lines: what is left is rewritten, the rest is gone from the disk', async () => {
    const open = new OpenTier(nextPath())
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => open.put(`k${i}`, `value ${i}`, { scope: `s${i % 3}`, tags: ['t'] })),
    )
    await open.tier.remove({ kind: 'scope', scope: 's0' })
    await open.tier.remove({ kind: 'tag', tag: 't' }, open.clock.now() - 5)
    const before = await Promise.all(
      Array.from({ length: 50 }, (_, i) => open.tier.get({ name: 'users', id: `k${i}` })),
    )
    await churn(open)
    expect(namesOf(open.path)).toEqual(['base-00000001.jsonl', 'segment-00000002.jsonl'])
    await until(() => {
      void open.tier.sweep(open.clock.now(), 1)
      return bytesOf(open.path) < 100_000
    })
    const after = await Promise.all(Array.from({ length: 50 }, (_, i) => open.tier.get({ name: 'users', id: `k${i}` })))
    expect(after).toEqual(before)
    await open.tier.close()
    const again = new OpenTier(open.path, {}, open.clock)
    for (let i = 0; i < 50; i++) expect(await again.tier.get({ name: 'users', id: `k${i}` })).toEqual(before[i])
    expect(again.corrupt).toEqual([])
  })

  it('what is past its time is left behind', async () => {
    const open = new OpenTier(nextPath())
    await open.put('short', 'gone', { keepUntil: open.clock.now() + 10 })
    await open.put('long', 'stays')
    await open.clock.advance(10)
    await churn(open)
    const keys = linesOf(open.path).map((line) => line['key'])
    expect(keys).toContain('long')
    expect(keys).not.toContain('short')
  })

  it('a folder that is small, or has few dead lines, is left alone', async () => {
    const open = new OpenTier(nextPath())
    for (let i = 0; i < 100; i++) await open.put('same', i)
    await Promise.all(Array.from({ length: 600 }, (_, i) => open.put(`k${i}`, KB)))
    await open.tier.sweep(open.clock.now(), 100)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(namesOf(open.path)).toEqual(['segment-00000001.jsonl'])
  })

  it('changes while it runs win, whatever was copied before or after them [proxies 7]', async () => {
    const open = new OpenTier(nextPath())
    const other = new OpenTier(open.path, {}, open.clock)
    await Promise.all(Array.from({ length: 4_000 }, (_, i) => open.put(`k${i}`, `old ${i}`)))
    const churning = churn(open)
    let changed = 0
    for (let i = 0; i < 4_000; i += 40) {
      const who = i % 80 === 0 ? open : other
      if (i % 3 === 0) await who.tier.remove({ kind: 'key', key: { name: 'users', id: `k${i}` } })
      else await who.put(`k${i}`, `new ${i}`)
      changed++
    }
    await churning
    await other.tier.lease()
    for (const tier of [open, other, new OpenTier(open.path)]) {
      for (let i = 0; i < 4_000; i++) {
        const expected = i % 40 !== 0 ? `old ${i}` : i % 3 === 0 ? undefined : `new ${i}`
        expect(await tier.get(`k${i}`), `k${i}`).toBe(expected)
      }
    }
    expect(changed).toBe(100)
  })

  it('another process takes over the new file and lets go of the old ones', async () => {
    const open = new OpenTier(nextPath())
    await Promise.all(Array.from({ length: 3_000 }, (_, i) => open.put(`k${i}`, `value ${i}`)))
    const other = new OpenTier(open.path, {}, open.clock)
    await churn(open)
    const held = (): string[] =>
      readdirSync('/proc/self/fd').flatMap((fd) => {
        const target = statSync(join('/proc/self/fd', fd), { throwIfNoEntry: false })
        return target?.nlink === 0 && target.isFile() ? [fd] : []
      })
    await other.tier.lease()
    await until(() => held().length === 0)
    for (let i = 0; i < 3_000; i++) expect(await other.get(`k${i}`)).toBe(`value ${i}`)
    await other.put('k1', 'new')
    await churn(other, 2)
    expect(await open.get('k1')).toBe('new')
    expect(await open.get('k2')).toBe('value 2')
  })

  it('one that was away for several of them reads anew and knows that it may have missed something', async () => {
    const open = new OpenTier(nextPath())
    await open.put('a', 'old')
    const away = new OpenTier(open.path, {}, open.clock)
    const lease = await away.tier.lease()
    const told: unknown[] = []
    away.tier.feed?.listen((changed) => told.push(changed))
    await churn(open, 1)
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    await open.put('a', 'new')
    await churn(open, 2)
    expect(await away.tier.put({ ...(await open.tier.get({ name: 'users', id: 'a' }))!, value: 'late' }, lease)).toBe(
      false,
    )
    expect(told).toEqual(['all'])
    expect(await away.get('a')).toBe('new')
    await away.put('b', 'after')
    expect(await open.get('b')).toBe('after')
  })

  it('claims outlive it', async () => {
    const open = new OpenTier(nextPath())
    const key = { name: 'users', id: 'claimed' }
    expect(await open.tier.claims?.acquire(key, 'one', open.clock.now() + 60_000)).toBe(true)
    await churn(open)
    const other = new OpenTier(open.path, {}, open.clock)
    expect(await other.tier.claims?.acquire(key, 'two', open.clock.now() + 60_000)).toBe(false)
    await open.clock.advance(60_000)
    const lease = await open.tier.lease()
    expect(await other.tier.claims?.acquire(key, 'two', open.clock.now() + 60_000)).toBe(true)
    const entry = { ...(await open.tier.get({ name: 'users', id: 'churn' }))!, key }
    expect(await open.tier.put(entry, lease), 'the late holder').toBe(false)
  })

  it('is done in slices', async () => {
    const open = new OpenTier(nextPath())
    for (let from = 0; from < 40_000; from += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, i) => open.put(`k${from + i}`, KB, { scope: `s${i % 5}` })))
    }
    for (const scope of ['s0', 's1', 's2']) await open.tier.remove({ kind: 'scope', scope })
    // Between two slices everything else has its turn.
    let turns = 0
    const counting = setInterval(() => turns++, 1)
    await until(() => lineFiles(open.path).some((name) => name.includes('base-')), 20_000)
    clearInterval(counting)
    expect(turns).toBeGreaterThan(10)
  }, 60_000)

  it.for(['close', 'leave'] as const)('a process may %s in the midst of it, and ends in order', async (how) => {
    const path = nextPath()
    const main = fileURLToPath(new URL('exit-main.ts', import.meta.url))
    const run = spawnSync(process.execPath, [main, path, how], { encoding: 'utf8', timeout: 20_000 })
    expect({ stdout: run.stdout, stderr: run.stderr, status: run.status }).toEqual({
      stdout: 'done\n',
      stderr: '',
      status: 0,
    })
    const open = new OpenTier(path)
    expect(await open.tier.count({ kind: 'all' })).toBe(3_000)
    expect(readdirSync(path).filter((name) => name.includes('.tmp-'))).toEqual([])
  })

  it('a process that ends meanwhile leaves everything as it was, and the next one clears up', async () => {
    const open = new OpenTier(nextPath())
    await Promise.all(Array.from({ length: 5_000 }, (_, i) => open.put(`k${i}`, KB)))
    for (let i = 0; i < 12; i++) await Promise.all(Array.from({ length: 500 }, () => open.put('churn', KB)))
    // It has begun and is given up.
    await open.tier.close()
    const again = new OpenTier(open.path)
    for (let i = 0; i < 5_000; i += 100) expect(await again.get(`k${i}`)).toBe(KB)
    expect(readdirSync(open.path).filter((name) => name.includes('.tmp-'))).toEqual([])
  })
})
