import { expect, it } from 'vitest'
import { Queue } from '../../src/era/queue.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

it('runs one at a time, in the order of asking, whatever each takes', async () => {
  const queue = new Queue()
  const log: string[] = []
  const work = (name: string, turns: number) => async (): Promise<string> => {
    log.push(`${name} begins`)
    for (let i = 0; i < turns; i++) await turn()
    log.push(`${name} ends`)
    return name
  }
  expect(await Promise.all([queue.run(work('a', 3)), queue.run(work('b', 0)), queue.run(work('c', 1))])).toEqual([
    'a',
    'b',
    'c',
  ])
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
})

it('a failure is its caller’s; the next one runs all the same', async () => {
  const queue = new Queue()
  const failed = queue.run(() => Promise.reject(new Error('mine')))
  const next = queue.run(async () => 'runs')
  await expect(failed).rejects.toThrow('mine')
  expect(await next).toBe('runs')
})

it('is idle when nothing runs or waits', async () => {
  const queue = new Queue()
  expect(queue.isIdle).toBe(true)
  const first = queue.run(turn)
  const second = queue.run(turn)
  expect(queue.isIdle).toBe(false)
  await first
  expect(queue.isIdle).toBe(false)
  await second
  expect(queue.isIdle).toBe(true)
})
