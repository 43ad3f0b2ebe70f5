import type { Deployment, Vendor, WorkItem } from '../database/records.ts'

/** What the cache stands in front of. What these throw decides whether the cache may answer instead. */
export interface ProjectSource {
  /** Whatever the case of A to Z in the name. */
  vendor(name: string): Promise<Vendor | undefined>
  /** Also one that is deleted: `deleted_at` says so. */
  workItem(id: string): Promise<WorkItem | undefined>
  vendors(): Promise<readonly Vendor[]>
  /** Without those that are deleted. */
  workItems(): Promise<readonly WorkItem[]>
  deployments(): Promise<readonly Deployment[]>
  /** A cheap question, to find out whether it is back. */
  ping(): Promise<unknown>
}

/** For a cache of its own: there is nobody to ask, and what is not cached is not known. */
export function noSource(): ProjectSource {
  const none = async (): Promise<never> => {
    throw Object.assign(new Error('this cache was opened without a source'), { code: 'ECONNREFUSED' })
  }
  return { vendor: none, workItem: none, vendors: none, workItems: none, deployments: none, ping: none }
}
