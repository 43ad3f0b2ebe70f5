import { migrate, type Database } from '@tidemark/database'
import type { ProjectSource } from '../cache/source.ts'
import type { Deployment, Vendor, WorkItem } from './records.ts'
import { MIGRATIONS } from './schema.ts'

/** What of a vendor may be changed. */
export type VendorChanges = Partial<Pick<Vendor, 'status' | 'extractor_version' | 'metadata'>>
/** What of a work item may be changed. */
export type WorkItemChanges = Partial<
  Pick<
    WorkItem,
    'title' | 'description' | 'notes' | 'status' | 'branch_name' | 'commit_hash' | 'pr_number' | 'metadata'
  >
>

/** What came of a change: the whole row as it is now, or the version that is there instead of the expected one. */
export type Changed<T> = { readonly row: T } | { readonly currentVersion: number } | 'not-found'

/** Names as the cache compares them: folded by the locale, two rows could be one key, and a row be found only in an outage. */
const NAMED = 'lower(name collate "C") = lower($1::text collate "C")'

/** The tables. Nothing is asked before it is needed: the database may be down. */
export class ProjectDatabase implements ProjectSource {
  readonly #database: Database
  #isReady: Promise<unknown> | undefined

  constructor(database: Database) {
    this.#database = database
  }

  async vendor(name: string): Promise<Vendor | undefined> {
    const [row] = await this.#query<Vendor>(`select * from vendor_extractors where ${NAMED}`, [name])
    return row
  }

  /** Also one that is deleted: `deleted_at` says so. */
  async workItem(id: string): Promise<WorkItem | undefined> {
    const [row] = await this.#query<WorkItem>('select * from work_items where id = $1', [id])
    return row
  }

  vendors(): Promise<Vendor[]> {
    return this.#query('select * from vendor_extractors order by lower(name)')
  }

  workItems(): Promise<WorkItem[]> {
    return this.#query('select * from work_items where deleted_at is null order by created_at desc, id')
  }

  deployments(): Promise<Deployment[]> {
    return this.#query('select * from deployment_events order by deployed_at desc, id')
  }

  /** A cheap question; does not wait for the tables to be made. */
  ping(): Promise<unknown> {
    return this.#database.query('select 1')
  }

  changeVendor(name: string, expectedVersion: number, changes: VendorChanges): Promise<Changed<Vendor>> {
    return this.#change('vendor_extractors', NAMED, name, expectedVersion, changes)
  }

  changeWorkItem(id: string, expectedVersion: number, changes: WorkItemChanges): Promise<Changed<WorkItem>> {
    return this.#change('work_items', 'id = $1 and deleted_at is null', id, expectedVersion, changes)
  }

  /** Compares and changes in one statement: of two writers that expect the same version one gets it. */
  async #change<T extends Vendor | WorkItem>(
    table: string,
    which: string,
    key: string,
    expectedVersion: number,
    changes: Readonly<Record<string, unknown>>,
  ): Promise<Changed<T>> {
    // The names of columns come from the routes' own lists, never from a request.
    const columns = Object.keys(changes)
    const values = Object.entries(changes).map(([column, value]) =>
      column === 'metadata' ? JSON.stringify(value) : value,
    )
    const set = [...columns.map((column, i) => `${column} = $${i + 3}`), 'version = version + 1', 'updated_at = now()']
    const [row] = await this.#query<T>(
      `update ${table} set ${set.join(', ')} where ${which} and version = $2 returning *`,
      [key, expectedVersion, ...values],
    )
    if (row) return { row }
    const [found] = await this.#query<{ version: number }>(`select version from ${table} where ${which}`, [key])
    return found ? { currentVersion: found.version } : 'not-found'
  }

  async #query<R extends object>(text: string, values: readonly unknown[] = []): Promise<R[]> {
    await this.ready()
    return this.#database.query<R>(text, values)
  }

  /** Makes the tables, once; what fails is tried again by the next question. */
  ready(): Promise<unknown> {
    this.#isReady ??= migrate(this.#database, MIGRATIONS).catch((error: unknown) => {
      this.#isReady = undefined
      throw error
    })
    return this.#isReady
  }
}
