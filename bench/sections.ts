import type { Report } from './report.ts'

/** Every section by name; loaded only where it runs. */
export const SECTIONS = {
  hit: async () => (await import('./hit/hit.ts')).hit,
  sqlite: async () => (await import('./sqlite/sqlite.ts')).sqliteTier,
  reopen: async () => (await import('./reopen/reopen.ts')).reopen,
  memory: async () => (await import('./memory/memory.ts')).memoryPerEntry,
  warm: async () => (await import('./warm/warm.ts')).warm,
  jsonl: async () => (await import('./jsonl/jsonl.ts')).jsonlTier,
  redis: async () => (await import('./redis/redis.ts')).redisTier,
  view: async () => (await import('./view/view.ts')).views,
  seal: async () => (await import('./seal/seal.ts')).seal,
  compression: async () => (await import('./codec/compression.ts')).compression,
  eviction: async () => (await import('./eviction/eviction.ts')).eviction,
} satisfies Record<string, () => Promise<() => Promise<Report>>>

/** One of {@link SECTIONS}. */
export type SectionName = keyof typeof SECTIONS
