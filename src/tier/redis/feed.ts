import type { ChangedSlots, ChangeFeed } from '../tier.ts'
import type { Changes } from '../changes.ts'
import { Looks } from '../looks.ts'
import { channelOf } from './layout.ts'
import type { Life } from './life.ts'
import type { Link } from './link.ts'
import type { Lives } from './lives.ts'
import { parseMessage } from './message.ts'

/** What hearing of others' changes needs of the tier around it. */
export interface FeedParts {
  readonly prefix: string
  /** Names this process in the messages of its own changes. */
  readonly origin: string
  readonly link: Link
  /** The connection messages come on, if there is one. */
  readonly subscriber: Link | undefined
  readonly lives: Lives
  readonly changes: Changes
}

/**
 * What other processes changed. Messages bring it within a round trip, each with the change sequence of its name, so that
 * one that was lost, doubled or late shows; what they leave out is read from Redis, which keeps the last changes of each
 * name. So nothing depends on a message to come.
 */
export class RedisFeed implements ChangeFeed {
  readonly #parts: FeedParts
  readonly #looks = new Looks(() => this.#look())
  #isLive = false
  readonly #catchingUp = new Set<Life>()

  constructor(parts: FeedParts) {
    this.#parts = parts
  }

  listen(listener: (changed: ChangedSlots) => void): void {
    this.#parts.changes.listen(listener)
  }

  check(): Promise<void> {
    return this.#looks.now()
  }

  poll(): () => void {
    const { subscriber, prefix } = this.#parts
    const subscribe = (): void => {
      subscriber?.subscribe(channelOf(prefix), this.#hear).then(
        () => {
          this.#isLive = true
          // What changed before the first message.
          this.#looks.soon()
        },
        // Looking goes on at the short interval; the next connection tries again.
        () => {},
      )
    }
    subscriber?.onLost(() => (this.#isLive = false))
    subscriber?.onReady(subscribe)
    subscribe()
    const stop = this.#looks.regularly(() => this.#isLive)
    return () => {
      stop()
      subscriber?.unsubscribe(channelOf(prefix))
    }
  }

  readonly #hear = (text: string): void => {
    const { lives, changes, origin } = this.#parts
    const message = parseMessage(text)
    if (!message) {
      // From a newer version: which name it means is not known.
      for (const life of lives.all) this.#catchUp(life)
      return
    }
    const life = lives.labelled(message.label)
    const isOwn = message.origin === origin
    if (!life || life.epoch === '' || (isOwn && message.epoch !== life.epoch)) return
    if (message.epoch !== life.epoch) {
      lives.lost(life, life.epoch)
      // So that its next change is heard of.
      lives.ready(life.name as string).catch(() => {})
    } else if (message.sequence === life.known + 1) {
      life.known = message.sequence
      if (isOwn) changes.touch(message.slot)
      else changes.tookIn([message.slot])
    } else if (message.sequence > life.known) this.#catchUp(life)
  }

  #catchUp(life: Life): void {
    // Messages that follow a gap all ask for the same.
    if (this.#catchingUp.has(life)) return
    this.#catchingUp.add(life)
    this.#parts.lives
      .catchUp(life)
      // The next message, or the next look, tries again.
      .catch(() => {})
      .finally(() => this.#catchingUp.delete(life))
  }

  async #look(): Promise<void> {
    const { lives, link } = this.#parts
    const registry = await lives.join()
    // Also what could not be found before, and what a lost connection made doubtful.
    const names = await Promise.all(lives.all.map(({ name }) => lives.ready(name as string)))
    const { losses } = link
    // Messages may be ahead of the answer.
    const asked = [registry, ...names].map((life) => ({ life, epoch: life.epoch, known: life.known }))
    const metas = await this.#metas(asked.map(({ life }) => life))
    if (losses !== link.losses) return this.#look()
    await Promise.all(
      asked.map(({ life, epoch, known }, i) => this.#compare(life, epoch, known, metas[i] ?? undefined)),
    )
  }

  async #compare(life: Life, epoch: string, known: number, meta: Buffer | undefined): Promise<void> {
    const { lives } = this.#parts
    const [found, sequence] = meta?.toString('latin1').split(' ', 2) ?? []
    if (found !== epoch || Number(sequence) < known) {
      // Emptied, cleared, or back in an older state.
      lives.lost(life, epoch)
      await (life.name === undefined ? lives.join() : lives.ready(life.name))
    } else if (Number(sequence) > life.known && life.name !== undefined) await lives.catchUp(life)
  }

  async #metas(lives: readonly Life[]): Promise<(Buffer | null)[]> {
    const { link } = this.#parts
    const keys = lives.map(({ metaKey }) => metaKey)
    const one = keys[0] as string
    if (!link.isCluster) return (await link.send(one, 'MGET', [...keys])) as (Buffer | null)[]
    return (await Promise.all(keys.map((key) => link.send(key, 'GET', [key])))) as (Buffer | null)[]
  }
}
