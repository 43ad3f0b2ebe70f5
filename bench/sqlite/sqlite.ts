import { withFolder } from '../folder.ts'
import type { Report } from '../report.ts'
import { processes } from './processes.ts'
import { reads } from './read.ts'
import { writes } from './write.ts'

/** The section `sqlite`. */
export function sqliteTier(): Promise<Report> {
  return withFolder(async (folder) => {
    const read = await reads(folder)
    const write = await writes(folder)
    const several = await processes(folder)
    return {
      section: 'sqlite',
      title: 'the SQLite tier beside node:sqlite by hand',
      conditions: [
        'WAL, synchronous = NORMAL: no fsync at a commit, only at checkpoints; files in the temporary folder',
        'every written value differs from the one before; small objects; the same rows for all, in turns',
      ],
      tables: [read.table, ...write.tables, ...several.tables],
      goals: [...read.goals, ...write.goals],
    }
  })
}
