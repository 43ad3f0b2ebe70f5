import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isMissingScript } from './failure.ts'
import type { CommandPart } from './client.ts'
import type { Link, Reply } from './link.ts'

/** What the first number of a script's answer means; lua/prelude.lua names the same. */
export const STATUS = { ok: 0, refused: 1, gone: 2, late: 3, full: 4 } as const

const PRELUDE = read('prelude')

/** One script of lua/. Redis is asked for it by its hash first, and given its text when it does not know it. */
export class Script {
  readonly name: string
  readonly #text: string
  readonly #hash: string

  constructor(name: string) {
    this.name = name
    this.#text = `${PRELUDE}\n${read(name)}`
    this.#hash = createHash('sha1').update(this.#text).digest('hex')
  }

  /** Runs it on the keys of one name. */
  async run(link: Link, metaKey: string, args: readonly CommandPart[]): Promise<readonly Reply[]> {
    try {
      return answerOf(await link.send(metaKey, 'EVALSHA', [this.#hash, '1', metaKey, ...args]))
    } catch (error) {
      if (!isMissingScript(error)) throw error
      return answerOf(await link.send(metaKey, 'EVAL', [this.#text, '1', metaKey, ...args]))
    }
  }
}

/** Texts come as Buffers, so what is a string is a number of a client that gives numbers so. */
function answerOf(reply: Reply): readonly Reply[] {
  return (reply as readonly Reply[]).map((part) => (typeof part === 'string' ? Number(part) : part))
}

function read(name: string): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8')
}
