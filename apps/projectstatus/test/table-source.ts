import { vendorKey } from '../src/cache/cache-key.ts'
import type { ProjectSource } from '../src/cache/source.ts'
import type { Deployment, Vendor, WorkItem } from '../src/database/records.ts'

/** Tables in memory, which can be taken away. */
export class TableSource implements ProjectSource {
  readonly vendorRows = new Map<string, Vendor>()
  readonly workItemRows = new Map<string, WorkItem>()
  /** What every question fails with. */
  failure: Error | undefined
  /** What every question waits for. */
  gate: Promise<unknown> | undefined
  /** Questions so far. */
  asked = 0

  async vendor(name: string): Promise<Vendor | undefined> {
    await this.#ask()
    return this.vendorRows.get(vendorKey(name))
  }

  async workItem(id: string): Promise<WorkItem | undefined> {
    await this.#ask()
    return this.workItemRows.get(id)
  }

  async vendors(): Promise<readonly Vendor[]> {
    await this.#ask()
    return [...this.vendorRows.values()]
  }

  async workItems(): Promise<readonly WorkItem[]> {
    await this.#ask()
    return [...this.workItemRows.values()].filter((item) => item.deleted_at === null)
  }

  async deployments(): Promise<readonly Deployment[]> {
    await this.#ask()
    return []
  }

  ping(): Promise<void> {
    return this.#ask()
  }

  has(...vendors: readonly Vendor[]): void {
    for (const vendor of vendors) this.vendorRows.set(vendorKey(vendor.name), vendor)
  }

  hasItems(...items: readonly WorkItem[]): void {
    for (const item of items) this.workItemRows.set(item.id, item)
  }

  refuse(): void {
    this.failure = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' })
  }

  async #ask(): Promise<void> {
    this.asked++
    await this.gate
    if (this.failure) throw this.failure
  }
}
