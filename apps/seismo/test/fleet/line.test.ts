import { expect, it } from 'vitest'
import { Line } from '../../src/fleet/line.ts'
import type { SeismographClient } from '../../src/unit/client.ts'

/** Only what the line itself calls: it hands the client on. */
function line(): { line: Line; closed: () => number; dialled: () => number } {
  let closed = 0
  let dialled = 0
  const client = { close: async () => void closed++ } as unknown as SeismographClient
  const made = new Line(() => {
    dialled++
    return client
  })
  return { line: made, closed: () => closed, dialled: () => dialled }
}

it('one conversation at a time, in the order they were asked for', async () => {
  const { line: it, dialled } = line()
  const log: string[] = []
  const talk = (name: string): Promise<void> =>
    it.converse(undefined, async () => {
      log.push(`${name} begins`)
      await new Promise((resolve) => setTimeout(resolve, 5))
      log.push(`${name} ends`)
    })
  const all = Promise.all(['a', 'b', 'c'].map(talk))
  expect(it.length).toBe(3)
  await all
  expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  expect([it.length, dialled()]).toEqual([0, 1])
})

it('a conversation that fails does not keep the next from its turn', async () => {
  const { line: it } = line()
  const failing = it.converse(undefined, async () => {
    throw new Error('the line broke')
  })
  const next = it.converse(undefined, async () => 'heard')
  await expect(failing).rejects.toThrow('the line broke')
  expect(await next).toBe('heard')
})

it('one that is given up before its turn never begins', async () => {
  const { line: it } = line()
  const gate = Promise.withResolvers<void>()
  const running = it.converse(undefined, () => gate.promise)
  const controller = new AbortController()
  let began = false
  const waiting = it.converse(controller.signal, async () => {
    began = true
  })
  const after = it.converse(undefined, async () => 'after')
  controller.abort(new Error('given up'))
  gate.resolve()
  await expect(waiting).rejects.toThrow('given up')
  expect([await running, await after, began]).toEqual([undefined, 'after', false])
})

it('close waits for the conversation that is running, then hangs up', async () => {
  const { line: it, closed } = line()
  const gate = Promise.withResolvers<void>()
  const running = it.converse(undefined, () => gate.promise)
  const closing = it.close()
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(closed()).toBe(0)
  gate.resolve()
  await Promise.all([running, closing])
  expect(closed()).toBe(1)
})
