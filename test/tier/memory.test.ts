import { it } from 'vitest'
import { memory } from 'tidemark'
import { testTier } from 'tidemark/testing'

for (const eviction of ['s3-fifo', 'lru', 'fifo', 'lfu'] as const) {
  testTier(`memory (${eviction})`, () => memory({ eviction }), { test: it })
}
