import type { TidemarkError } from '../../errors.ts'
import type { Entry } from '../../entry.ts'
import type { Key } from '../../key.ts'
import { Asked, type Ask } from '../asked.ts'
import { fieldOf } from '../field.ts'
import { decodeFrame } from '../frame.ts'
import { readFrame } from '../read-frame.ts'
import { lostAgain } from './failure.ts'
import type { Life } from './life.ts'
import type { Link } from './link.ts'
import type { Lives } from './lives.ts'

/** Reads of one turn of the event loop go into one command, as long as its answer stays about this short. */
const ANSWER_BYTES = 1024 * 1024
const KEYS_AT_ONCE_MAX = 128
const ATTEMPTS = 3
const EPOCH_CHARACTERS = 12

/** What reading needs of the tier around it. */
export interface ReadsParts {
  readonly link: Link
  readonly lives: Lives
  readonly now: () => number
  /** A frame that cannot be read; `isDamaged`: nobody can. */
  readonly unreadable: (key: Key, error: TidemarkError, frame: Buffer) => void
}

/**
 * Reads of single entries, gathered by name: one command asks for the name's life and all entries wanted in this turn of
 * the event loop. What lies there under another life than the one we know does not count.
 */
export class Reads {
  readonly #parts: ReadsParts
  readonly #asked = new Asked(
    ({ name }) => name,
    (name, asks) => this.#answer(name, asks),
  )

  constructor(parts: ReadsParts) {
    this.#parts = parts
  }

  get(key: Key): Promise<Entry | undefined> {
    return this.#asked.get(key)
  }

  async #answer(name: string, asks: readonly Ask[]): Promise<void> {
    const life = await this.#parts.lives.ready(name)
    const atOnce = Math.max(1, Math.min(KEYS_AT_ONCE_MAX, Math.floor(ANSWER_BYTES / life.frameBytes)))
    if (asks.length <= atOnce) return this.#fetch(life, asks)
    const parts = Array.from({ length: Math.ceil(asks.length / atOnce) }, (_, i) =>
      asks.slice(i * atOnce, (i + 1) * atOnce),
    )
    await Promise.all(parts.map((part) => this.#fetch(life, part)))
  }

  async #fetch(known: Life, asks: readonly Ask[]): Promise<void> {
    const { link, lives } = this.#parts
    let life = known
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const { losses } = link
      const { epoch } = life
      const keys = asks.map(({ key }) => life.entryKey(fieldOf(key.id)))
      const [meta, ...frames] = (await link.send(life.metaKey, 'MGET', [life.metaKey, ...keys])) as (Buffer | null)[]
      // An answer that came over another connection than the question began on may be an older state's.
      if (link.losses === losses) {
        if (meta?.toString('latin1', 0, EPOCH_CHARACTERS) === epoch) {
          this.#hand(life, asks, frames)
          return
        }
        lives.lost(life, epoch)
      }
      life = await lives.ready(life.name as string)
    }
    throw lostAgain(`the name ${life.name}`)
  }

  #hand(life: Life, asks: readonly Ask[], frames: readonly (Buffer | null)[]): void {
    for (let i = 0; i < asks.length; i++) {
      const { key, resolve } = asks[i] as Ask
      const frame = frames[i]
      if (!frame) {
        resolve(undefined)
        continue
      }
      // Grows at once, shrinks slowly.
      life.frameBytes = Math.max(frame.byteLength, life.frameBytes * 0.99)
      resolve(
        readFrame(() => decodeFrame(frame, key), {
          now: this.#parts.now,
          unreadable: (error) => this.#parts.unreadable(key, error, frame),
        }),
      )
    }
  }
}
