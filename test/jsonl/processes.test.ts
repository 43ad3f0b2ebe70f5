// Several real processes over one folder: no line is torn, none is lost, all come to the same state.

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { OpenTier, lineFiles, linesOf, testPaths } from './tier.ts'
import { startWorkers, type Worker } from './worker.ts'

const nextPath = testPaths()
const NAME = { kind: 'name', name: 'users' } as const

async function two(): Promise<[Worker, Worker]> {
  return (await startWorkers(2, { path: nextPath() })) as [Worker, Worker]
}

it('four writers, 2 500 rows each: every row is there for everyone, every line is whole [proxies 8]', async () => {
  const path = nextPath()
  const workers = await startWorkers(4, { path })
  const written = await Promise.all(workers.map((worker, i) => worker.call('fill', `w${i}-`, 2_500, (i + 1) * 150)))
  expect(written).toEqual([2_500, 2_500, 2_500, 2_500])
  for (const worker of workers) {
    expect(await worker.call('count')).toBe(10_000)
    expect(await worker.call('corrupt')).toBe(0)
    expect(await worker.call('get', 'w3-2499')).toBe(`w3-2499 ${'v'.repeat(600)}`)
  }
  const lines = linesOf(path)
  expect(lines.filter(({ op }) => op === 'set')).toHaveLength(10_000)
  expect(new Set(lines.map(({ by }) => by)).size).toBe(4)
  const open = new OpenTier(path)
  for (let i = 0; i < 4; i++) for (let n = 0; n < 2_500; n += 25) expect(await open.get(`w${i}-${n}`)).toBeDefined()
  expect(open.corrupt).toEqual([])
}, 60_000)

it('one of four is killed again and again: what the others acknowledge is there, nothing is half there', async () => {
  const path = nextPath()
  const workers = await startWorkers(3, { path })
  const filling = Promise.all(workers.map((worker, i) => worker.call('fill', `w${i}-`, 3_000, 400)))
  for (let round = 0; round < 6; round++) {
    const [victim] = (await startWorkers(1, { path })) as [Worker]
    void victim.call('fill', `victim${round}-`, 100_000, 5_000).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 20 + round * 15))
    await victim.kill()
  }
  await filling
  for (const worker of workers) {
    for (let i = 0; i < 3; i++) {
      expect(await worker.call('get', `w${i}-2999`)).toBe(`w${i}-2999 ${'v'.repeat(400)}`)
    }
  }
  const counts = await Promise.all(workers.map((worker) => worker.call('count')))
  expect(new Set(counts).size, counts.join(', ')).toBe(1)
  expect(await new OpenTier(path).tier.count({ kind: 'all' })).toBe(counts[0])
}, 60_000)

describe('leases', () => {
  it('two-process-lost-update: what one sets while the other loads stays', async () => {
    const [a, b] = await two()
    const lease = await b.call('lease')
    await a.call('put', 'k', 'set')
    expect(await b.call('store', 'k', 'loaded', lease)).toBe(false)
    expect(await b.call('get', 'k')).toBe('set')
    expect(await a.call('get', 'k')).toBe('set')
  })

  it.for([
    ['its key', { kind: 'key', key: { name: 'users', id: 'k' } }],
    ['its scope', { kind: 'scope', scope: 's' }],
    ['its tag', { kind: 'tag', tag: 't' }],
    ['its name', NAME],
    ['everything', { kind: 'all' }],
  ] as const)('inflight-delete-fences: %s was removed by the other', async ([, selector]) => {
    const [a, b] = await two()
    const lease = await b.call('lease')
    await a.call('remove', selector)
    expect(await b.call('store', 'k', 'old', lease)).toBe(false)
    expect(await a.call('get', 'k')).toBeUndefined()
    expect(await b.call('store', 'k', 'new', await b.call('lease'))).toBe(true)
    expect(await a.call('get', 'k')).toBe('new')
  })

  it('a lease of a process that was stopped for long does not hold', async () => {
    const [a, b] = await two()
    const lease = await b.call('lease')
    b.signal('SIGSTOP')
    for (let i = 0; i < 100; i++) await a.call('put', `other${i}`, i)
    await a.call('remove', NAME)
    b.signal('SIGCONT')
    expect(await b.call('store', 'k', 'old', lease)).toBe(false)
  })

  it('a counter that four processes count up under claims loses no step', async () => {
    const path = nextPath()
    const workers = await startWorkers(4, { path })
    await Promise.all(workers.map((worker) => worker.call('increment', 'counter', 25)))
    for (const worker of workers) {
      await worker.call('check')
      expect(await worker.call('get', 'counter')).toBe(100)
    }
  }, 60_000)
})

describe('news', () => {
  it('removals and sets reach the other; what it did itself and what was loaded are no news', async () => {
    const [a, b] = await two()
    await b.call('put', 'own', 1)
    await b.call('check')
    expect(await b.call('told')).toEqual([])
    await a.call('store', 'k', 1, await a.call('lease'))
    await b.call('check')
    expect(await b.call('told')).toEqual([])
    await a.call('put', 'k', 2)
    await a.call('remove', NAME)
    await b.call('check')
    const [slots] = (await b.call('told')) as [number[]]
    expect(slots).toHaveLength(2)
    await b.call('check')
    expect(await b.call('told')).toEqual([])
  })
})

describe('claims', () => {
  it('one of many gets it; released, expired or removed, another one does', async () => {
    const workers = await startWorkers(4, { path: nextPath() })
    const [a, b] = workers as [Worker, Worker]
    const granted = await Promise.all(workers.map((worker, i) => worker.call('acquire', 'k', `owner ${i}`, 1_000)))
    expect(granted.filter(Boolean)).toHaveLength(1)
    const holder = granted.indexOf(true)
    await workers[holder]?.call('release', 'k', `owner ${holder}`)
    expect(await a.call('acquire', 'k', 'a', 1_000)).toBe(true)
    expect(await a.call('acquire', 'k', 'a', 2_000), 'its own, again').toBe(true)
    expect(await b.call('acquire', 'k', 'b', 1_000)).toBe(false)
    await b.call('release', 'k', 'b')
    expect(await b.call('acquire', 'k', 'b', 1_000), 'not its to release').toBe(false)
    await a.call('remove', { kind: 'key', key: { name: 'users', id: 'k' } })
    expect(await b.call('acquire', 'k', 'b', 1_000)).toBe(true)
  })

  it('holder-killed: who takes over after the expiry fences the late holder off', async () => {
    const [a, b] = await two()
    const lease = await a.call('lease')
    expect(await a.call('acquire', 'k', 'a', 1_000)).toBe(true)
    await b.call('advance', 1_000)
    expect(await b.call('acquire', 'k', 'b', 1_000)).toBe(true)
    expect(await b.call('store', 'k', 'new', await b.call('lease'))).toBe(true)
    expect(await a.call('store', 'k', 'late', lease)).toBe(false)
    expect(await a.call('get', 'k')).toBe('new')
  })
})

describe('capacity', () => {
  it('holds for the folder, not for a process [proxies 9]', async () => {
    const path = nextPath()
    const workers = await startWorkers(2, { path, maxEntries: 50 })
    await Promise.all(workers.map((worker, i) => worker.call('fill', `w${i}-`, 300, 50)))
    for (const worker of workers) expect(await worker.call('count')).toBe(50)
    expect(await new OpenTier(path).tier.count({ kind: 'all' })).toBe(50)
  })
})

it('a process that comes later sees everything, and what it does is seen [proxies 9]', async () => {
  const path = nextPath()
  const [a] = (await startWorkers(1, { path })) as [Worker]
  await a.call('fill', 'a', 100, 10)
  const [b] = (await startWorkers(1, { path })) as [Worker]
  expect(await b.call('count')).toBe(100)
  await b.call('remove', NAME)
  expect(await a.call('count')).toBe(0)
  expect(existsSync(lineFiles(path)[0] as string)).toBe(true)
  expect(readFileSync(lineFiles(path)[0] as string, 'utf8')).not.toContain('\n\n')
})
