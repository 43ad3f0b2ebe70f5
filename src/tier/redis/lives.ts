import { slotOfName } from '../../slot.ts'
import type { Changes } from '../changes.ts'
import { lostAgain } from './failure.ts'
import { baseOfRegistry, newEpoch } from './layout.ts'
import { Life } from './life.ts'
import type { Link } from './link.ts'
import { STATUS, type Script } from './script.ts'

/** How often a life that is lost again and again is looked for before the operation fails. */
const ATTEMPTS = 3
/** What the registry gives as its own. */
const NO_REGISTRY = '-'
/** More changes than this are not listed one by one. */
const SLOTS_LISTED_MAX = 1_024

/** The scripts lives are kept with. */
export interface LifeScripts {
  readonly open: Script
  readonly register: Script
  readonly changes: Script
  /** Those whose runs must keep their order. */
  readonly writes: readonly Script[]
}

/** The lives of all names this process uses, and of the registry that lists every name in Redis. */
export class Lives {
  readonly #prefix: string
  readonly #link: Link
  readonly #scripts: LifeScripts
  readonly #changes: Changes
  readonly #byName = new Map<string, Life>()
  readonly #byLabel = new Map<string, Life>()
  readonly #registry: Life
  /** How long whoever waits for a name may have waited before it counts as missed. */
  budgetMs: number = Number.POSITIVE_INFINITY

  constructor(prefix: string, link: Link, scripts: LifeScripts, changes: Changes) {
    this.#prefix = prefix
    this.#link = link
    this.#scripts = scripts
    this.#changes = changes
    this.#registry = new Life(baseOfRegistry(prefix), undefined)
    // Whoever answers from now on may be another server, or have been started anew.
    link.onLost(() => {
      this.#doubt(this.#registry)
      this.#doubtNames()
    })
  }

  get registry(): Life {
    return this.#registry
  }

  /** The registry is known, and nothing makes it doubtful. */
  get isJoined(): boolean {
    return this.#registry.epoch !== '' && this.#registry.ready !== undefined
  }

  /** Every name this process has used. */
  get all(): Life[] {
    return [...this.#byName.values()]
  }

  of(name: string): Life {
    const found = this.#byName.get(name)
    if (found) return found
    const life = Life.ofName(this.#prefix, name)
    this.#byName.set(name, life)
    this.#byLabel.set(life.label, life)
    return life
  }

  /** The life a message calls by this label, if this process uses the name. */
  labelled(label: string): Life | undefined {
    return this.#byLabel.get(label)
  }

  /** The life of a name, begun if need be. The same promise for all who ask, so that they go on in their order. */
  ready(name: string): Promise<Life> {
    const life = this.of(name)
    if (!life.ready) life.wantedSinceMs ??= performance.now()
    return this.#once(life, () => this.#open(life))
  }

  /** The registry, begun if need be. Errors as for any operation, when Redis does not answer. */
  join(): Promise<Life> {
    return this.#once(this.#registry, () => this.#openRegistry())
  }

  /** The life is not the one we knew: what we hold of it does not count, and it is looked for anew. */
  lost(life: Life, epoch: string): void {
    // Somebody else may have noticed first.
    if (life.epoch !== epoch) return
    life.epoch = ''
    life.ready = undefined
    if (life === this.#registry) this.#doubtNames()
    this.#changes.lost(life)
  }

  /** Takes in what others changed and we have not heard of. */
  async catchUp(life: Life): Promise<void> {
    const { epoch, known } = life
    if (epoch === '') return
    const answer = await this.#scripts.changes.run(this.#link, life.metaKey, [
      epoch,
      String(known),
      String(SLOTS_LISTED_MAX),
    ])
    if (life.epoch !== epoch) return
    if (answer[0] === STATUS.gone) {
      this.lost(life, epoch)
      return
    }
    const [, sequence, isComplete, ...slots] = answer as readonly number[]
    // Messages may have brought some of it meanwhile; hearing of a change twice costs a read.
    if ((sequence as number) <= life.known) return
    life.known = sequence as number
    life.newest = Math.max(life.newest, life.known)
    if (isComplete === 1) this.#changes.tookIn(slots)
    else this.#changes.lost(life)
  }

  #once(life: Life, open: () => Promise<Life>): Promise<Life> {
    if (life.ready) return life.ready
    const ready = open()
    life.ready = ready
    ready.catch(() => {
      if (life.ready === ready) life.ready = undefined
    })
    return ready
  }

  #doubtNames(): void {
    for (const life of this.#byName.values()) this.#doubt(life)
  }

  /** It is looked for anew before it is used again; one that is being looked for asks the server that will answer anyway. */
  #doubt(life: Life): void {
    if (life.epoch !== '') life.ready = undefined
  }

  /** First its life, then the registry: a name that is registered by us, with a life begun by us, was changed by nobody. */
  async #open(life: Life): Promise<Life> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const registry = await this.join()
      const found = await this.#begin(life, registry.epoch)
      if (found.epoch === life.epoch) return this.#opened(life)
      const answer = await this.#scripts.register.run(this.#link, registry.metaKey, [registry.epoch, life.label])
      const [status, sequence, isNewName] = answer as readonly number[]
      if (status === STATUS.gone) {
        this.lost(registry, registry.epoch)
        continue
      }
      // What was removed by scope, era or tag before this name was registered, was not removed in it.
      if ((sequence as number) > registry.known) await this.catchUp(registry)
      if (registry.epoch === '') continue
      await this.#prepare(life)
      const isUntouched = found.isNew && isNewName === 1
      // Whoever waited too long went on without us, and may hold what was changed meanwhile.
      if (life.epoch !== '' || (!isUntouched && this.#wasMissed(life))) this.#changes.lost(life)
      else if (!isUntouched) this.#changes.touch(slotOfName(life.name as string))
      life.begin(found.epoch, found.sequence)
      return this.#opened(life)
    }
    throw lostAgain('the registry of names')
  }

  async #openRegistry(): Promise<Life> {
    const life = this.#registry
    const { epoch, sequence } = await this.#begin(life, NO_REGISTRY)
    if (epoch === life.epoch) return life
    // Not when it is met for the first time: nothing was held of it.
    if (life.epoch !== '') {
      this.#doubtNames()
      this.#changes.lost(life)
    }
    life.begin(epoch, sequence)
    return life
  }

  async #begin(life: Life, registry: string): Promise<{ epoch: string; sequence: number; isNew: boolean }> {
    const [, sequence, isNew, epoch] = await this.#scripts.open.run(this.#link, life.metaKey, [registry, newEpoch()])
    return { epoch: String(epoch), sequence: sequence as number, isNew: isNew === 1 }
  }

  /** Runs the writing scripts too late, which does nothing, but loads them (so that later runs keep their order) and tells the time. */
  async #prepare(life: Life): Promise<void> {
    const sentAtMs = performance.now()
    const answers = await Promise.all(this.#scripts.writes.map((script) => script.run(this.#link, life.metaKey, ['0'])))
    life.sawClock(answers[0]?.[1] as number, sentAtMs)
  }

  #wasMissed(life: Life): boolean {
    return performance.now() - (life.wantedSinceMs ?? Number.POSITIVE_INFINITY) >= this.budgetMs
  }

  #opened(life: Life): Life {
    life.wantedSinceMs = undefined
    return life
  }
}
