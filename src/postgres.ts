// `tidemark/postgres`. The client is handed in, so nothing here loads one.

export { postgres } from './tier/postgres/postgres.ts'
export type { PostgresOptions } from './tier/postgres/options.ts'
export { pgRevision, type PgRevisionOptions } from './source/postgres/pg-revision.ts'
export type { PgRevision } from './source/postgres/settings.ts'
export {
  installRevisions,
  removeRevisions,
  renewRevisions,
  type InstallOptions,
  type RemoveOptions,
  type SchemaOptions,
} from './source/postgres/install.ts'
export { revisionsStatus, type RevisionStatus } from './source/postgres/status.ts'
export { pgListen, type PgListen, type PgListenOptions } from './source/postgres/listen.ts'
export type { ListeningClient, ListeningDatabase, ListenSource } from './pg/listening.ts'
export type { NodePgClient, PgClient, PgliteClient, PgRow, PostgresJsClient } from './pg/client.ts'
