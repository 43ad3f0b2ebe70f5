import { migrate, openDatabase, type Database, type DatabaseOptions } from '@tidemark/database'
import { installRevisions } from 'tidemark/postgres'
import { MIGRATIONS } from './migrations.ts'
import { ALL_TABLES } from './tables.ts'

/** Where the triggers of a hub count: beside its schema, so that hubs in one database do not share them. */
export function revisionSchema(schema: string): string {
  return `${schema}_revisions`
}

/** Opens the database of a hub, and brings it up to date: its tables, and the triggers that keep their revisions. */
export async function openHubDatabase(options: DatabaseOptions): Promise<Database> {
  const database = await openDatabase(options)
  try {
    await migrate(database, MIGRATIONS)
    await installRevisions(database.client, {
      tables: ALL_TABLES,
      schema: revisionSchema(database.schema),
      notify: true,
    })
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}
