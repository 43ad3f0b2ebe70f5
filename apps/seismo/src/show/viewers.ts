import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { SimulatedUnit } from '../simulator/start.ts'
import { together, type Tally } from './tally.ts'

/** What a viewer needs to know of the day. */
export interface Errand {
  readonly origin: string
  readonly units: readonly SimulatedUnit[]
  readonly hours: number
  readonly scale: number
  /** Seconds; see `Viewer`. */
  readonly maxAge: number
  /** On the machine's clock. */
  readonly beganMs: number
}

/** What a viewer's process is told. */
export type ToViewer =
  | (Errand & { readonly seed: number })
  | { readonly erased: number; readonly stamps: readonly string[] }

/** What a viewer's process says. */
export type FromViewer = 'noted' | { readonly tally: Tally }

const MAIN = fileURLToPath(new URL('viewer-main.ts', import.meta.url))

/** The viewers, each a process of its own. */
export class Viewers {
  readonly #children: readonly ChildProcess[]
  readonly #tallies: Promise<Tally>[]

  /** Starts them; what they ask for begins at `beganMs`. */
  constructor(count: number, errand: Errand) {
    this.#children = Array.from({ length: count }, () => fork(MAIN))
    this.#tallies = this.#children.map(tallyOf)
    for (const [i, child] of this.#children.entries()) child.send({ ...errand, seed: i + 1 } satisfies ToViewer)
  }

  /** Resolves when every viewer knows that these events of a unit are being erased. */
  async erased(unit: number, stamps: readonly string[]): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        const noted = once(child, 'message')
        child.send({ erased: unit, stamps } satisfies ToViewer)
        await noted
      }),
    )
  }

  /** What all of them counted, when the day is over. */
  async tally(): Promise<Tally> {
    return together(await Promise.all(this.#tallies))
  }
}

function tallyOf(child: ChildProcess): Promise<Tally> {
  return new Promise((resolve, reject) => {
    child.on('message', (said: FromViewer) => {
      if (said !== 'noted') resolve(said.tally)
    })
    // After the last message, unlike 'exit'.
    child.once('disconnect', () => reject(new Error('A viewer ended before the day did.')))
  })
}
