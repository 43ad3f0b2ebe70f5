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
  // To bring a large hub up to date, or to wait for its locks, may take longer than what a request may ask.
  const patient = await openDatabase({ ...options, timeoutMs: undefined })
  try {
    await migrate(patient, MIGRATIONS)
    await installRevisions(patient.client, {
      tables: ALL_TABLES,
      schema: revisionSchema(patient.schema),
      notify: true,
    })
    // An embedded one knows no limit, and is open once.
    if (options.timeoutMs === undefined || patient.kind === 'pglite') return patient
  } catch (error) {
    await patient.close()
    throw error
  }
  await patient.close()
  return openDatabase(options)
}
