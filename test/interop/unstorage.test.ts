import { createTidemark, memory, sqlite } from 'tidemark'
import { unstorageDriver } from 'tidemark/unstorage'
import { createStorage } from 'unstorage'
import { expect, it } from 'vitest'

it('is a driver for unstorage: items, raw items, keys under a base, time to live, clear', async () => {
  await using tide = createTidemark({ tiers: [memory(), sqlite({ path: ':memory:' })] })
  const storage = createStorage({ driver: unstorageDriver(tide) })
  await storage.setItem('users:1', { name: 'Ada' })
  await storage.setItem('users:2', 'text')
  await storage.setItemRaw('files:a', Buffer.from([1, 2, 3]))
  expect(await storage.getItem('users:1')).toEqual({ name: 'Ada' })
  expect(await storage.getItemRaw('files:a')).toEqual(Buffer.from([1, 2, 3]))
  expect((await storage.getKeys('users')).toSorted()).toEqual(['users:1', 'users:2'])
  expect([await storage.hasItem('users:2'), await storage.hasItem('users:3')]).toEqual([true, false])
  await storage.removeItem('users:2')
  expect(await storage.getItem('users:2')).toBeNull()
  await storage.setItem('short', 'x', { ttl: 0.03 })
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(await storage.getItem('short')).toBeNull()
  await storage.clear()
  expect(await storage.getKeys()).toEqual([])
})
