import { removeRevisions } from '../source/postgres/install.ts'
import { removeSqliteRevisions } from '../source/sqlite/install.ts'
import { listOf, type Command } from './command.ts'
import { DATABASE_OPTIONS, DATABASE_USAGE, onDatabase } from './database.ts'

/** Takes the triggers off tables, or off all of them. */
export const removeRevisionsCommand: Command = {
  usage: `[--tables a,b,…] ${DATABASE_USAGE}`,
  options: { ...DATABASE_OPTIONS, tables: { type: 'string' } },
  run: async (context) => {
    const given = context.values['tables']
    const tables = typeof given === 'string' ? listOf(given) : undefined
    const removed = await onDatabase(context, {
      postgres: (client, schema) => removeRevisions(client, { tables, schema }),
      sqlite: (database) => removeSqliteRevisions(database, tables),
    })
    for (const table of removed) context.say(`removed from ${table}`)
    if (removed.length === 0) context.say('nothing was installed')
    return { removed }
  },
}
