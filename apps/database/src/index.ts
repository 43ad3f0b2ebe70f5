// The database of a service.

export { databaseFrom, openDatabase, type Database, type DatabaseOptions, type Queries } from './database.ts'
export { migrate, type Migration } from './migrate.ts'
