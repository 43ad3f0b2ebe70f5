import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { jsonl, type Entry, type JsonlOptions, type KeyInput, type Tier, type TierReport } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { entryOf, valueOf } from '../../src/testing/tier-cases/case.ts'
import { testFolder } from '../folder.ts'

/** A tier over a folder, with everything it reported. */
export class OpenTier {
  readonly tier: Tier
  readonly clock: FakeClock
  readonly path: string
  readonly reports: TierReport[] = []

  constructor(path: string, options: Omit<JsonlOptions, 'path'> = {}, clock: FakeClock = new FakeClock()) {
    this.tier = jsonl({ path, ...options })
    this.clock = clock
    this.path = path
    this.tier.attach?.({ clock, report: (news) => this.reports.push(news) })
    onTestFinished(() => this.tier.close())
  }

  async put(key: KeyInput, value: unknown, more: Partial<Entry> = {}): Promise<boolean> {
    return this.tier.put(entryOf(this.clock, 'users', key, value, more))
  }

  async add(key: KeyInput, value: unknown, more: Partial<Entry> = {}): Promise<boolean> {
    return this.tier.put(entryOf(this.clock, 'users', key, value, more), await this.tier.lease())
  }

  get(key: KeyInput): Promise<unknown> {
    return valueOf(this.tier, 'users', key)
  }

  /** Messages of what was skipped. */
  get corrupt(): string[] {
    return this.reports.flatMap((news) => (news.kind === 'corrupt' ? [news.message] : []))
  }
}

/** Paths of folders that do not exist yet. */
export function testPaths(): () => string {
  const folder = testFolder()
  let folders = 0
  return () => join(folder, `f${++folders}`)
}

/** The files that hold lines, in their order. */
export function lineFiles(path: string): string[] {
  const names = readdirSync(path).filter((name) => name.endsWith('.jsonl'))
  return names.toSorted((a, b) => orderOf(a) - orderOf(b)).map((name) => join(path, name))
}

/** The lines of a folder, parsed: what a person with a JSON tool sees. */
export function linesOf(path: string): Record<string, unknown>[] {
  return lineFiles(path).flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  )
}

/** Waits, by real time, until something holds. */
export async function until(holds: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const giveUpAt = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > giveUpAt) throw new Error(`not within ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function orderOf(name: string): number {
  const [kind, number] = name.replace('.jsonl', '').split('-')
  return Number(number) * 2 + (kind === 'base' ? 1 : 0)
}
