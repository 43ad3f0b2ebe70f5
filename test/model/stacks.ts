import { join } from 'node:path'
import { jsonl, memory, sqlite, type Tier, type TierOptions } from 'tidemark'
import { chaos, type ChaosOperation } from 'tidemark/testing'
import { RemoteServer, RemoteTier, type LineState } from './remote.ts'

/** What is between one process and one tier, and can be in trouble. */
export interface Line {
  readonly tier: Tier
  /** An operation of the tier fails, hangs or answers late so many times. */
  readonly fault: (operation: ChaosOperation, kind: 'fail' | 'hang' | 'delay', times: number) => void
  /** The whole line is cut. */
  readonly cut: (state: Exclude<LineState, 'open'>) => void
  readonly heal: () => void
}

/** A combination of tiers. Files and servers are the same for all processes of one run, memory is each one's own. */
export interface StackKind {
  readonly title: string
  readonly tiers: readonly ('memory' | 'jsonl' | 'sqlite' | 'remote')[]
  /** Whether calls of the embedded tiers pass through chaos; without it they are synchronous, as in real use. */
  readonly isChaotic: boolean
  /** How many processes there are. */
  readonly processes: number
}

/**
 * Several processes where one tier is shared by them. Of two shared tiers the upper one is not told what changed in the
 * lower one while a process could not reach it, so there is one process, that may be started anew.
 */
const kind = (isChaotic: boolean, ...tiers: StackKind['tiers']): StackKind => ({
  title: tiers.join(' + ') + (isChaotic ? ', in trouble' : ''),
  tiers,
  isChaotic,
  processes: tiers.filter((tier) => tier !== 'memory').length > 1 ? 1 : 3,
})

/** Every stack the model is checked over. */
export const STACK_KINDS: readonly StackKind[] = [
  kind(false, 'memory', 'sqlite'),
  kind(false, 'memory', 'jsonl'),
  kind(false, 'memory', 'remote'),
  kind(false, 'jsonl', 'sqlite'),
  kind(false, 'memory', 'jsonl', 'sqlite'),
  kind(false, 'memory', 'sqlite', 'remote'),
  kind(true, 'memory', 'sqlite'),
  kind(true, 'memory', 'jsonl'),
  kind(true, 'memory', 'remote'),
  kind(true, 'jsonl', 'sqlite'),
  kind(true, 'memory', 'jsonl', 'sqlite'),
  kind(true, 'memory', 'sqlite', 'remote'),
]

const BUDGET_MS = 40
/** Late, but within the budget: an embedded tier makes a write that it was asked for, however late. */
const DELAY_MS = 20
/** So few that entries leave memory and are read from below. */
const MEMORY_ENTRIES = 3

/** What all processes of one run share. */
export class Place {
  readonly kind: StackKind
  readonly server: RemoteServer = new RemoteServer()
  readonly #folder: string

  constructor(stack: StackKind, folder: string) {
    this.kind = stack
    this.#folder = folder
  }

  /** One more process's tiers, and its lines to those that can be in trouble. */
  open(): { tiers: TierOptions[]; lines: Line[] } {
    const lines: Line[] = []
    const tiers = this.kind.tiers.map((name): TierOptions => {
      if (name === 'memory') return { tier: memory({ maxEntries: MEMORY_ENTRIES }) }
      if (name === 'remote') {
        const tier = new RemoteTier(this.server)
        lines.push(lineToRemote(tier))
        return { tier, budget: BUDGET_MS }
      }
      const path = join(this.#folder, name === 'sqlite' ? 'cache.db' : 'segments')
      const tier = name === 'sqlite' ? sqlite({ path }) : jsonl({ path })
      if (!this.kind.isChaotic) return { tier }
      const line = lineThroughChaos(tier)
      lines.push(line)
      return { tier: line.tier, budget: BUDGET_MS }
    })
    return { tiers, lines }
  }
}

const OPERATIONS = ['get', 'lease', 'put', 'remove', 'count', 'sweep', 'keys'] as const

function lineThroughChaos(inner: Tier): Line {
  // The tier itself still tells what others changed, and grants claims.
  const tier = Object.assign(chaos(inner), { feed: inner.feed, claims: inner.claims })
  return {
    tier: tier as Tier,
    fault: (operation, fault, times) => {
      // What hangs in chaos goes through when it is over, which no write of a tier may do after its budget.
      const mayHang = operation !== 'put' && operation !== 'remove' && operation !== 'sweep'
      if (fault === 'delay') tier.delay(operation, DELAY_MS)
      else if (fault === 'hang' && mayHang) tier.hang(operation, { times })
      else tier.fail(operation, { times })
    },
    cut: () => {
      for (const operation of OPERATIONS) tier.fail(operation)
    },
    heal: () => tier.heal(),
  }
}

function lineToRemote(tier: RemoteTier): Line {
  return {
    tier,
    fault: (_, fault) => {
      tier.state = fault === 'hang' ? 'silent' : fault === 'delay' ? 'deaf' : 'refused'
    },
    cut: (state) => {
      tier.state = state
    },
    heal: () => {
      tier.state = 'open'
    },
  }
}
