// The settings of a unit, and why it refuses some.

import type { ComplianceConfig } from '../unit/client.ts'
import type { Random } from './random.ts'

const SAMPLE_RATES = [1024, 2048, 4096] as const
const RECORD_SECONDS_MAX = 10
const TRIGGER_LEVEL = { min: 0.005, max: 10 }
const TEXT_LENGTH_MAX = 40

/** A setting that a unit does not take; the message is what it answers. */
export class ConfigRefusal extends Error {
  override readonly name = 'ConfigRefusal'
}

/** The settings a unit of the fleet starts with. */
export function initialConfig(random: Random): ComplianceConfig {
  const site = random.pick(['North quarry', 'Tunnel east portal', 'Harbour basin', 'Bypass cut 4', 'Slate works'])
  return {
    project: `${site} ${random.integer(2, 9)}`,
    client: random.pick(['Ridgeway Aggregates', 'Port Authority', 'Bergmann Tunnelling', 'County Roads']),
    operator: random.pick(['A. Lindqvist', 'M. Okafor', 'J. Duarte', 'K. Yamada']),
    location: random.pick(['Farmhouse cellar', 'School yard', 'Pump station', 'Church wall', 'Gatehouse']),
    sampleRate: random.pick(SAMPLE_RATES),
    recordSeconds: random.integer(2, 3),
    triggerLevel: random.pick([0.1, 0.2, 0.5]),
  }
}

/** The settings after a change. Throws a {@link ConfigRefusal} at the first that is nonsense; then nothing changes. */
export function changedConfig(config: ComplianceConfig, change: Readonly<Record<string, unknown>>): ComplianceConfig {
  for (const [name, value] of Object.entries(change)) {
    const expected = Object.hasOwn(RULES, name) ? RULES[name as keyof ComplianceConfig] : undefined
    if (!expected) throw new ConfigRefusal(`there is no setting '${name.slice(0, TEXT_LENGTH_MAX)}'`)
    if (!expected.holds(value))
      throw new ConfigRefusal(`${name} must be ${expected.what}, got ${JSON.stringify(value).slice(0, 60)}`)
  }
  return { ...config, ...change }
}

interface Rule {
  readonly what: string
  holds(value: unknown): boolean
}

const label: Rule = {
  what: `text of at most ${TEXT_LENGTH_MAX} characters`,
  holds: (value) => typeof value === 'string' && value.length <= TEXT_LENGTH_MAX,
}
const RULES: Readonly<Record<keyof ComplianceConfig, Rule>> = {
  project: label,
  client: label,
  operator: label,
  location: label,
  sampleRate: {
    what: `one of ${SAMPLE_RATES.join(', ')}`,
    holds: (value) => SAMPLE_RATES.some((rate) => rate === value),
  },
  recordSeconds: {
    what: `a whole number from 1 to ${RECORD_SECONDS_MAX}`,
    holds: (value) => Number.isInteger(value) && isWithin(value, 1, RECORD_SECONDS_MAX),
  },
  triggerLevel: {
    what: `a number from ${TRIGGER_LEVEL.min} to ${TRIGGER_LEVEL.max}`,
    holds: (value) => isWithin(value, TRIGGER_LEVEL.min, TRIGGER_LEVEL.max),
  },
}

function isWithin(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && value >= min && value <= max
}
