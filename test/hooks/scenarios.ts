// What every watched database must do, whichever library writes.

import { expect, it } from 'vitest'
import type { WriteHook } from 'tidemark'

/** Writing through a library: to `topics (id)` and `tasks (id)`. */
export interface Writer {
  insert(table: 'topics' | 'tasks', id: number): Promise<unknown>
  update(id: number): Promise<unknown>
  remove(id: number): Promise<unknown>
  /** A transaction; inside another one, a savepoint. */
  transaction(work: (inside: Writer) => Promise<void>): Promise<unknown>
}

/** A library over a database under test. */
export interface WatchedDatabase {
  /** A writer whose commits are told to the hook. */
  writerFor(hook: Pick<WriteHook, 'committed'>): Writer
  /** How many rows another connection sees. */
  visible(): Promise<number>
  /** Empties the tables. */
  clear(): Promise<void>
}

/** What was told, and how many rows others saw at that moment. */
interface Told {
  readonly tables: readonly string[]
  readonly visible: number
}

/** Defines the scenarios. `isImmediate`: results come at once, so nobody can wait for the hook. */
export function writeScenarios(database: () => WatchedDatabase): void {
  const open = async (): Promise<{ writer: Writer; told: Told[]; visible: () => Promise<number> }> => {
    const { writerFor, visible, clear } = bound(database())
    await clear()
    const told: Told[] = []
    const committed = async (tables: readonly string[]): Promise<void> => {
      told.push({ tables: tables.map((it) => it.split('.').at(-1) as string), visible: await visible() })
    }
    return { writer: writerFor({ committed }), told, visible }
  }

  it('a write by itself is told when others can see it, before it resolves [summary 4]', async () => {
    const { writer, told } = await open()
    await writer.insert('topics', 1)
    expect(told).toEqual([{ tables: ['topics'], visible: 1 }])
    await writer.update(1)
    await writer.remove(1)
    expect(told.map(({ tables }) => tables)).toEqual([['topics'], ['topics'], ['topics']])
    expect(told.at(-1)?.visible).toBe(0)
  })

  it('a write that fails is not told', async () => {
    const { writer, told } = await open()
    await writer.insert('topics', 1)
    told.length = 0
    await expect(writer.insert('topics', 1)).rejects.toThrow(/./)
    expect(told).toEqual([])
  })

  it('a transaction is told once, after its commit, never while it is under way', async () => {
    const { writer, told } = await open()
    await writer.transaction(async (inside) => {
      await inside.insert('topics', 1)
      await inside.insert('tasks', 1)
      await inside.insert('topics', 2)
      expect(told).toEqual([])
    })
    expect(told).toEqual([{ tables: ['topics', 'tasks'], visible: 3 }])
  })

  it('a transaction that is rolled back is not told; the next one only of its own', async () => {
    const { writer, told, visible } = await open()
    const fails = writer.transaction(async (inside) => {
      await inside.insert('topics', 1)
      throw new Error('changed my mind')
    })
    await expect(fails).rejects.toThrow('changed my mind')
    expect(await visible()).toBe(0)
    await writer.transaction(async (inside) => void (await inside.insert('tasks', 1)))
    expect(told).toEqual([{ tables: ['tasks'], visible: 1 }])
  })

  it('what is rolled back to a savepoint is not told; what is around it is', async () => {
    const { writer, told } = await open()
    await writer.transaction(async (inside) => {
      await inside.insert('topics', 1)
      const nested = inside.transaction(async (deeper) => {
        await deeper.insert('tasks', 1)
        throw new Error('not this one')
      })
      await expect(nested).rejects.toThrow('not this one')
    })
    expect(told).toEqual([{ tables: ['topics'], visible: 1 }])
    await writer.transaction(
      (inside) => inside.transaction(async (deeper) => void (await deeper.insert('tasks', 2))) as Promise<void>,
    )
    expect(told.at(-1)).toEqual({ tables: ['tasks'], visible: 2 })
  })

  it('a transaction that only reads, or writes nothing, tells nobody', async () => {
    const { writer, told } = await open()
    await writer.transaction(async () => {})
    expect(told.flatMap(({ tables }) => tables)).toEqual([])
  })
}

function bound(database: WatchedDatabase): { [Name in keyof WatchedDatabase]: WatchedDatabase[Name] } {
  return {
    writerFor: (hook) => database.writerFor(hook),
    visible: () => database.visible(),
    clear: () => database.clear(),
  }
}
