// Walks over many entries, a page at a time, so that neither Redis nor the process is held up.

import { selects, type KeyInfo } from '../../entry.ts'
import type { Selector } from '../../key.ts'
import { infoOfHead } from '../frame.ts'
import { nameOf, targetOf } from '../groups.ts'
import { unescapeName } from './layout.ts'
import type { CommandPart } from './client.ts'
import type { Life } from './life.ts'
import type { Link, Reply } from './link.ts'
import type { Lives } from './lives.ts'
import { STATUS, Script } from './script.ts'

const LIST = new Script('list')
const COUNT = new Script('count')
const NAMES = new Script('names')
const PAGE_ENTRIES = 200
const SLICE_ENTRIES = 5_000

/** Lists and counts what a selector means, name by name. */
export class Walk {
  readonly #link: Link
  readonly #lives: Lives
  readonly #now: () => number

  constructor(link: Link, lives: Lives, now: () => number) {
    this.#link = link
    this.#lives = lives
    this.#now = now
  }

  async *keys(selector: Selector): AsyncIterable<KeyInfo> {
    for (const name of await this.#names(selector)) yield* this.#keysOf(name, selector)
  }

  async count(selector: Selector): Promise<number> {
    if (selector.kind === 'key') return this.#countKey(selector)
    const counts = await Promise.all((await this.#names(selector)).map((name) => this.#countOf(name, selector)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  async *#keysOf(name: string, selector: Selector): AsyncIterable<KeyInfo> {
    // A walk of a whole name may meet an entry twice when its table grows or shrinks meanwhile.
    const seen = new Set<string>()
    const { kind, what } = targetOf(selector)
    for (let after: CommandPart | undefined = ''; after !== undefined;) {
      const answer = await this.#ask(name, LIST, [kind, what, after, String(PAGE_ENTRIES)])
      const [next, ...rows] = answer as readonly [Buffer, ...Reply[]]
      for (let at = 0; at < rows.length; at += 3) {
        const [field, head, bytes] = [String(rows[at]), rows[at + 1] as Buffer, rows[at + 2] as number]
        if (seen.has(field)) continue
        seen.add(field)
        const info = infoOfHead(head, bytes, name, field)
        if (info && selects(selector, info) && this.#now() < info.keepUntil) yield info
      }
      after = next.byteLength > 0 ? next : undefined
    }
  }

  async #countKey(selector: Selector): Promise<number> {
    for await (const _ of this.keys(selector)) return 1
    return 0
  }

  async #countOf(name: string, selector: Selector): Promise<number> {
    const { kind, what } = targetOf(selector)
    let total = 0
    for (let after: CommandPart | undefined = ''; after !== undefined;) {
      const args = [kind === 'group' ? what : '', after, String(SLICE_ENTRIES), String(this.#now())]
      const [count, next] = (await this.#ask(name, COUNT, args)) as unknown as [number, Buffer]
      total += count
      after = next.byteLength > 0 ? next : undefined
    }
    return total
  }

  async #names(selector: Selector): Promise<readonly string[]> {
    const name = nameOf(selector)
    if (name !== undefined) return [name]
    const registry = await this.#lives.join()
    const [status, ...labels] = await NAMES.run(this.#link, registry.metaKey, [])
    if (status === STATUS.gone) this.#lives.lost(registry, registry.epoch)
    return labels.map((label) => unescapeName(String(label).slice(1)))
  }

  /** What a script says of one name; of a name that was lost: nothing is there. */
  async #ask(name: string, script: Script, args: readonly CommandPart[]): Promise<readonly Reply[]> {
    const life: Life = await this.#lives.ready(name)
    const { epoch } = life
    const [status, ...answer] = await script.run(this.#link, life.metaKey, args)
    if (status !== STATUS.gone) return answer
    this.#lives.lost(life, epoch)
    return script === COUNT ? [0, Buffer.alloc(0)] : [Buffer.alloc(0)]
  }
}
