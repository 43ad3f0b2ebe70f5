import { revisionsStatus } from '../source/postgres/status.ts'
import { sqliteRevisionsStatus } from '../source/sqlite/install.ts'
import type { Command } from './command.ts'
import { DATABASE_OPTIONS, DATABASE_USAGE, onDatabase } from './database.ts'

interface Row {
  readonly table: string
  readonly count: number
  readonly missing: readonly string[]
  readonly mode?: string
  readonly notify?: boolean
}

/** What is installed, table by table. */
export const revisionsStatusCommand: Command = {
  usage: DATABASE_USAGE,
  options: DATABASE_OPTIONS,
  run: async (context) => {
    const tables = await onDatabase<readonly Row[]>(context, {
      postgres: (client, schema) => revisionsStatus(client, { schema }),
      sqlite: (database) => sqliteRevisionsStatus(database),
    })
    if (tables.length === 0) context.say('nothing is installed')
    const width = Math.max(0, ...tables.map(({ table }) => table.length))
    for (const { table, mode, notify, count, missing } of tables) {
      const how = [mode, notify === true ? 'notify' : undefined].filter((it) => it !== undefined).join(', ')
      const gone = missing.length === 0 ? '' : `  MISSING: ${missing.join(', ')}`
      context.say(`${table.padEnd(width)}  ${String(count).padStart(10)} writes  ${how}${gone}`.trimEnd())
    }
    return { tables }
  },
}
