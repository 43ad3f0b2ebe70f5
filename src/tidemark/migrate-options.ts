import { systemClock, type Clock } from '../clock.ts'
import { TidemarkError, invalidOption, refuseUnknown } from '../errors.ts'
import { Keyring } from '../seal/keyring.ts'
import { Sealer } from '../seal/sealer.ts'
import type { Tier } from '../tier/tier.ts'

/** Options of {@link migrate}. */
export interface MigrateOptions {
  /** The tier to copy from. It is opened, read, and left as it is; no cache may have it in use. */
  readonly from: Tier
  /** The tier to copy to. It is opened; no cache may have it in use. */
  readonly to: Tier
  /** Only what belongs to this resource, collection or view. Defaults to all. */
  readonly name?: string | undefined
  /** Counts, and stores nothing. Defaults to `false`. */
  readonly dryRun?: boolean | undefined
  /** The keys that what is sealed was sealed under. Needed to go from one kind of tier to another. Defaults to none. */
  readonly keyring?: Keyring | undefined
  /**
   * Which fields are secret, by name, as the constructs declare them. Needed when what lies in memory is copied to where it
   * can be read: `{}` says that nothing in it is secret. Defaults to what is sealed already.
   */
  readonly secrets?: Readonly<Record<string, readonly string[] | true>> | undefined
  /** Called after each slice with how many entries were looked at, and of how many. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
  /** Where time comes from. Defaults to the process's own. */
  readonly clock?: Clock | undefined
}

/** The options, checked and completed. */
export interface MigrateSettings {
  readonly from: Tier
  readonly to: Tier
  readonly name: string | undefined
  readonly dryRun: boolean
  readonly sealer: Sealer
  readonly onProgress: (done: number, total: number) => void
  readonly clock: Clock
}

const KNOWN = ['from', 'to', 'name', 'dryRun', 'keyring', 'secrets', 'onProgress', 'clock'] as const

/** Errors: `invalid-option`, `unknown-option`, `keyring-required`. */
export function resolveMigrate(options: MigrateOptions): MigrateSettings {
  refuseUnknown('migrate()', options, KNOWN)
  const { from, to, name, dryRun = false, keyring, secrets, onProgress = () => {}, clock = systemClock } = options
  for (const [option, tier] of Object.entries({ from, to })) {
    const isTier = typeof tier === 'object' && tier !== null && 'capabilities' in tier && 'put' in tier
    if (!isTier) throw invalidOption(`migrate.${option}`, 'a tier such as sqlite() or jsonl()', tier)
  }
  if (from === to) throw invalidOption('migrate.to', 'another tier than `from`', 'the same tier')
  if (name !== undefined && typeof name !== 'string') throw invalidOption('migrate.name', 'a string', name)
  if (typeof dryRun !== 'boolean') throw invalidOption('migrate.dryRun', 'true or false', dryRun)
  if (typeof onProgress !== 'function') throw invalidOption('migrate.onProgress', 'a function', onProgress)
  if (!(['now', 'coarse', 'schedule'] as const).every((method) => typeof clock?.[method] === 'function'))
    throw invalidOption('migrate.clock', 'a clock with now(), coarse() and schedule()', clock)
  // Without what came: it may be a key.
  if (keyring !== undefined && !(keyring instanceof Keyring))
    throw new TidemarkError('invalid-option', 'Expected `migrate.keyring` to be made by keyring() of tidemark/seal.')
  if (secrets === undefined && !isExposed(from) && isExposed(to))
    throw invalidOption(
      'migrate.secrets',
      'the secret fields of each name, or {}, because memory holds them in the clear',
      secrets,
    )
  return { from, to, name, dryRun, sealer: sealerOf(keyring, secrets), onProgress, clock }
}

/** True for a tier whose entries leave the process, and are sealed for it. */
export function isExposed({ capabilities }: Tier): boolean {
  return capabilities.persistent || capabilities.shared
}

function sealerOf(keyring: Keyring | undefined, secrets: MigrateOptions['secrets'] = {}): Sealer {
  if (typeof secrets !== 'object' || secrets === null || Array.isArray(secrets))
    throw invalidOption('migrate.secrets', 'an object of paths by name', secrets)
  const sealer = new Sealer(keyring, () => {})
  for (const [name, paths] of Object.entries(secrets)) sealer.declare(name, sealer.check(paths, 'migrate', name))
  return sealer
}
