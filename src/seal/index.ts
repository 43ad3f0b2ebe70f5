// `tidemark/seal`: the keys. What is sealed with them is said where it is cached, by `secrets`.

export { keyring, type Keyring, type KeyringFactory, type KeyringKey } from './keyring.ts'
export type { KeyringKeys } from './key-text.ts'
export type { KeyMaterial, Passphrase } from './key-material.ts'
