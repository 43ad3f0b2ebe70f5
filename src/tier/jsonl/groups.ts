import type { Selector } from '../../key.ts'
import type { Group } from './group.ts'
import { HEAD_BYTES } from './line.ts'
import { NONE } from './table.ts'

const COMMA = 44
const KEY_MARK = Buffer.from(',"key":')

/**
 * The groups there are. A line's group is known by its bytes: most lines of a folder share few, so a scan parses each once.
 */
export class Groups {
  readonly #byText = new Map<number, Group[]>()
  readonly #byName = new Map<string, Set<Group>>()
  readonly #byScope = new Map<string, Set<Group>>()
  readonly #byTag = new Map<string, Set<Group>>()
  /** Lines of one group often follow each other. */
  #last: Group | undefined

  /** The group of the entry's line between `at` and `limit`. Throws when the line has none. */
  ofLine(buffer: Buffer, at: number, limit: number): Group {
    const start = at + HEAD_BYTES
    const last = this.#last
    if (last && isSame(last.text, buffer, start) && isKeyMark(buffer, start + last.text.length)) return last
    let hash = 0x811c9dc5
    let end = start
    for (; !isKeyMark(buffer, end); end++) {
      if (end >= limit) throw new RangeError('a line without a key')
      hash = Math.imul(hash ^ (buffer[end] as number), 0x01000193)
    }
    const same = this.#byText.get(hash)?.find(({ text }) => text.length === end - start && isSame(text, buffer, start))
    this.#last = same ?? this.#add(Buffer.from(buffer.subarray(start, end)), hash)
    return this.#last
  }

  /** The groups a selector of many entries means. */
  *of(selector: Selector): Iterable<Group> {
    switch (selector.kind) {
      case 'key':
      case 'name':
        yield* this.#byName.get(selector.kind === 'key' ? selector.key.name : selector.name) ?? []
        return
      case 'scope':
        for (const group of this.#byScope.get(selector.scope) ?? []) {
          if (selector.name === undefined || selector.name === group.name) yield group
        }
        return
      case 'era':
        for (const group of this.#byScope.get(selector.scope) ?? []) if (group.era === selector.era) yield group
        return
      case 'tag':
        yield* this.#byTag.get(selector.tag) ?? []
        return
      case 'all':
        for (const groups of this.#byName.values()) yield* groups
    }
  }

  /** Forgets a group that has no entries any more. */
  drop(group: Group): void {
    if (this.#last === group) this.#last = undefined
    const same = (this.#byText.get(group.textHash) ?? []).filter((it) => it !== group)
    if (same.length > 0) this.#byText.set(group.textHash, same)
    else this.#byText.delete(group.textHash)
    take(this.#byName, group.name, group)
    if (group.scope !== undefined) take(this.#byScope, group.scope, group)
    for (const tag of group.tags ?? []) take(this.#byTag, tag, group)
  }

  #add(text: Buffer, textHash: number): Group {
    const { name, scope, era, tags } = JSON.parse(`{${text.toString('utf8')}}`) as Partial<Group>
    if (typeof name !== 'string' || !(tags === undefined || Array.isArray(tags)))
      throw new TypeError('a line of no group')
    const group: Group = { name, scope, era, tags, text, textHash, newest: NONE }
    this.#byText.set(textHash, [...(this.#byText.get(textHash) ?? []), group])
    put(this.#byName, name, group)
    if (scope !== undefined) put(this.#byScope, scope, group)
    for (const tag of tags ?? []) put(this.#byTag, tag, group)
    return group
  }
}

function isKeyMark(buffer: Buffer, at: number): boolean {
  // A quote inside a JSON text is escaped, so this cannot stand in a name or a tag.
  if (buffer[at] !== COMMA) return false
  for (let i = 1; i < KEY_MARK.length; i++) if (buffer[at + i] !== KEY_MARK[i]) return false
  return true
}

function isSame(text: Buffer, buffer: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (text[i] !== buffer[start + i]) return false
  return true
}

function put(map: Map<string, Set<Group>>, key: string, group: Group): void {
  const groups = map.get(key)
  if (groups) groups.add(group)
  else map.set(key, new Set([group]))
}

function take(map: Map<string, Set<Group>>, key: string, group: Group): void {
  const groups = map.get(key)
  groups?.delete(group)
  if (groups?.size === 0) map.delete(key)
}
