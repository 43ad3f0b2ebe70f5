import { installRevisions, renewRevisions } from '../source/postgres/install.ts'
import type { TriggerMode } from '../source/postgres/schema.ts'
import { installSqliteRevisions, renewSqliteRevisions } from '../source/sqlite/install.ts'
import { UsageError, listOf, required, type Command, type CommandContext } from './command.ts'
import { DATABASE_OPTIONS, DATABASE_USAGE, onDatabase } from './database.ts'

/** Puts the triggers on tables; done again, only what is missing. */
export const installRevisionsCommand: Command = {
  usage: `--tables a,b,… [--mode counters|snapshot] [--notify] [--new-era] ${DATABASE_USAGE}`,
  options: {
    ...DATABASE_OPTIONS,
    tables: { type: 'string' },
    mode: { type: 'string' },
    notify: { type: 'boolean' },
    'new-era': { type: 'boolean' },
  },
  run: async (context) => {
    const { values, say } = context
    const tables = listOf(required(values, 'tables'))
    const installed = await install(context, tables)
    for (const table of installed) say(`installed on ${table}`)
    if (installed.length === 0) say('nothing was missing')
    if (values['new-era'] === true) say('a new era has begun: every view is built anew')
    return { installed, newEra: values['new-era'] === true }
  },
}

function install(context: CommandContext, tables: readonly string[]): Promise<string[]> {
  const { mode, notify } = context.values
  const isRenewed = context.values['new-era'] === true
  return onDatabase(context, {
    postgres: async (client, schema) => {
      const options = { tables, mode: mode as TriggerMode | undefined, notify: notify === true, schema }
      const installed = await installRevisions(client, options)
      if (isRenewed) await renewRevisions(client, { schema })
      return installed
    },
    sqlite: (database) => {
      if (mode !== undefined || notify === true) throw new UsageError('--mode and --notify are for PostgreSQL.')
      const installed = installSqliteRevisions(database, tables)
      if (isRenewed) renewSqliteRevisions(database)
      return installed
    },
  })
}
