import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { onTestFinished } from 'vitest'
import { sqlite, type SqliteOptions, type Tier, type TierReport } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { testFolder } from '../folder.ts'

/** A tier over a file, with everything it reported. */
export interface OpenTier {
  readonly tier: Tier
  readonly clock: FakeClock
  readonly reports: TierReport[]
  readonly path: string
}

/** Paths of a test file, each in a folder of its own. */
export function testPaths(): () => string {
  const folder = testFolder()
  let files = 0
  return () => {
    const path = join(folder, `f${++files}`, 'cache.db')
    mkdirSync(dirname(path), { mode: 0o700 })
    return path
  }
}

/** Opens a tier that is closed when the test is over. */
export function openTier(
  path: string,
  options: Omit<SqliteOptions, 'path'> = {},
  clock: FakeClock = new FakeClock(),
): OpenTier {
  const tier = sqlite({ path, ...options })
  const reports: TierReport[] = []
  tier.attach?.({ clock, report: (news) => reports.push(news) })
  onTestFinished(() => tier.close())
  return { tier, clock, reports, path }
}

/** Runs one statement on the file through a connection of its own, as another program would. */
export function sql(path: string, statement: string, ...parameters: SQLInputValue[]): unknown[] {
  const db = new DatabaseSync(path)
  try {
    return db.prepare(statement).all(...parameters)
  } finally {
    db.close()
  }
}

/** Waits for what is done behind a read, without being waited for. */
export async function until(holds: () => boolean): Promise<void> {
  for (const giveUpAt = performance.now() + 5_000; !holds(); await new Promise((resolve) => setTimeout(resolve, 2)))
    if (performance.now() > giveUpAt) throw new Error('It did not happen within 5 s.')
}
