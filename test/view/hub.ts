import { memory, type Tidemark, type TidemarkEvent, type TidemarkOptions, type View, type ViewOptions } from 'tidemark'
import { FakeClock } from 'tidemark/testing'
import { subject } from '../contract/stacks.ts'

/** The values of the sections of the view under test. */
export interface Sections {
  core: { readonly n: number }
  progress: readonly number[]
}

/** A source under the test's control: revisions and data that move when they are told to. */
export class Source {
  core = 0
  progress = 0
  /** Names of what was built, in order. */
  readonly built: string[] = []
  asked = 0
  /** While it is there, builds of that section wait for it. */
  readonly holding: { core?: Promise<unknown>; progress?: Promise<unknown>; revisions?: Promise<unknown> } = {}
  readonly failing: { core?: Error; progress?: Error; revisions?: Error } = {}

  async revisionOf(section: 'core' | 'progress'): Promise<string> {
    this.asked++
    // As a query does: what it found is settled before the answer arrives.
    const found = `${section}-${this[section]}`
    await this.holding.revisions
    if (this.failing.revisions) throw this.failing.revisions
    return found
  }

  async build(section: 'core' | 'progress'): Promise<number> {
    this.built.push(section)
    const read = this[section]
    await this.holding[section]
    if (this.failing[section]) throw this.failing[section]
    return read
  }

  /** What was built since the last call. */
  takeBuilt(): string[] {
    return this.built.splice(0)
  }
}

/** A view over a source, with everything around it. */
export interface Hub {
  readonly tide: Tidemark
  readonly clock: FakeClock
  readonly events: TidemarkEvent[]
  readonly source: Source
  readonly view: View<Sections>
}

/** Options of the view under test. */
export type HubOptions = Omit<ViewOptions<Sections>, 'name' | 'sections' | 'combine'>

/** Makes a cache with the view `summary` of a main section and a small one. */
export function hub(
  options: HubOptions = {},
  more: { source?: Source; clock?: FakeClock; tide?: Omit<TidemarkOptions, 'clock'> } = {},
): Hub {
  const { source = new Source(), clock = new FakeClock() } = more
  const { tide, events } = subject({ tiers: [memory()], ...more.tide, clock })
  const view = tide.view<Sections>({
    name: 'summary',
    sections: {
      core: { revision: () => source.revisionOf('core'), build: async () => ({ n: await source.build('core') }) },
      progress: { revision: () => source.revisionOf('progress'), build: async () => [await source.build('progress')] },
    },
    ...options,
  })
  return { tide, clock, events, source, view }
}
