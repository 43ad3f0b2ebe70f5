// `tidemark/keyv`, both ways: the tiers of a cache as a store for Keyv, and a store of Keyv as a tier.

export { KeyvStore, keyvStore, type KeyvItem, type KeyvStoreOptions } from './keyv/store.ts'
export { keyvTier } from './keyv/tier.ts'
export type { KeyvTierOptions } from './keyv/options.ts'
export type { KeyvStorage } from './keyv/storage.ts'
