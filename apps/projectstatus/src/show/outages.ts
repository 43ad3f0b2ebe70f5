import type { Stand } from './stand.ts'

/** One kind of trouble, and how it begins. */
export interface Trouble {
  readonly title: string
  begin(stand: Stand): Promise<() => Promise<void>>
}

/** What happens to the database, one after the other. Each says how it ends. */
export const TROUBLES: readonly Trouble[] = [
  {
    title: 'refuse: PostgreSQL is stopped',
    begin: async ({ proxy, postgres }) => {
      await Promise.all([proxy.refuse(), postgres.stop()])
      return async () => {
        await postgres.start()
        await proxy.open()
      }
    },
  },
  {
    title: 'hang: connections are taken, nothing is answered',
    begin: async ({ proxy }) => {
      proxy.hang()
      return () => proxy.open()
    },
  },
  {
    title: 'reset: every connection is broken off',
    begin: async ({ proxy }) => {
      const timer = setInterval(() => proxy.reset(), 2)
      return async () => clearInterval(timer)
    },
  },
]
