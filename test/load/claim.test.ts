import { describe, expect, it } from 'vitest'
import type { Claims } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { claimNow, claimOr } from '../../src/load/claim.ts'

const KEY = { name: 'users', id: 'a' }

/** Claims of several owners in one place, with everything that was asked. */
class Board implements Claims {
  holder: string | undefined
  readonly asked: string[] = []

  acquire(_key: typeof KEY, owner: string): boolean {
    this.asked.push(`acquire ${owner}`)
    this.holder ??= owner
    return this.holder === owner
  }

  release(_key: typeof KEY, owner: string): void {
    this.asked.push(`release ${owner}`)
    if (this.holder === owner) this.holder = undefined
  }
}

const patience = (waitMsMax = 2_000): { signal: AbortSignal; waitMsMax: number; abort: () => void } => {
  const controller = new AbortController()
  return { signal: controller.signal, waitMsMax, abort: () => controller.abort(new Error('gave up')) }
}
const nothing = (): Promise<undefined> => Promise.resolve(undefined)
const clock = new FakeClock()

describe('claimOr', () => {
  it('a free claim is held until it is let go', async () => {
    const board = new Board()
    const claim = await claimOr(board, KEY, 'me', clock, patience(), nothing)
    expect(board.holder).toBe('me')
    if ('held' in claim) claim.held()
    expect(board.holder).toBeUndefined()
  })

  it('what another one brought meanwhile is taken, and nothing is held', async () => {
    const board = new Board()
    board.holder = 'other'
    let looks = 0
    const claim = await claimOr(board, KEY, 'me', clock, patience(), async () => (++looks < 4 ? undefined : 'value'))
    expect(claim).toEqual({ found: 'value' })
    expect(board.holder).toBe('other')
  })

  it('what came between the miss and the claim is taken, and the claim given back', async () => {
    const board = new Board()
    expect(await claimOr(board, KEY, 'me', clock, patience(), async () => 'value')).toEqual({ found: 'value' })
    expect(board.holder).toBeUndefined()
  })

  it('a claim that gets free is taken over', async () => {
    const board = new Board()
    board.holder = 'other'
    let looks = 0
    const claim = await claimOr(board, KEY, 'me', clock, patience(), async () => {
      if (++looks === 3) board.holder = undefined
      return undefined
    })
    expect(board.holder).toBe('me')
    if ('held' in claim) claim.held()
  })

  it('whoever waited long enough goes ahead without, and releases nothing', async () => {
    const board = new Board()
    board.holder = 'other'
    const claim = await claimOr(board, KEY, 'me', clock, patience(30), nothing)
    if ('held' in claim) claim.held()
    expect(board.holder).toBe('other')
    expect(board.asked).not.toContain('release me')
  })

  it('whoever is told to stop stops', async () => {
    const board = new Board()
    board.holder = 'other'
    const waiting = patience()
    const claim = claimOr(board, KEY, 'me', clock, waiting, nothing)
    setTimeout(waiting.abort, 20)
    await expect(claim).rejects.toThrow('gave up')
  })
})

it('claimNow does not wait', async () => {
  const board = new Board()
  const held = await claimNow(board, KEY, 'me', clock)
  expect(await claimNow(board, KEY, 'other', clock)).toBeUndefined()
  held?.()
  expect(await claimNow(board, KEY, 'other', clock)).toBeDefined()
})
