import type { Entry } from '../entry.ts'
import { TidemarkError, invalidOption, refuseUnknown } from '../errors.ts'
import type { Key, Selector } from '../key.ts'
import type { Context } from '../load/context.ts'
import { EXPORT_VERSION, checkedLine, fieldsOfEntry } from './export-line.ts'

/** Where sealed exports belong: what is sealed for them opens in no tier, and the other way round. */
export const EXPORT_PURPOSE = 'export'

/** What is exported. */
export interface ExportOptions {
  /** Only the entries of this resource or collection. Defaults to all. */
  readonly name?: string | undefined
}

/** Why the tier at this place of the stack cannot be believed to have told everything, if it cannot. */
export type Troubled = (tier: number) => string | undefined

/**
 * Everything that is stored as lines: a head, a line for each entry, an end that says how many there were. Errors:
 * `unknown-option`, `invalid-option`, `closed`, `seal-exhausted`; `tier-unavailable` when a tier could not be read to its
 * end, because an export that lacks something must not look whole.
 */
export function exportLines(options: ExportOptions, context: Context, troubled: Troubled): AsyncIterable<string> {
  refuseUnknown('export()', options, ['name'])
  if (options.name !== undefined && typeof options.name !== 'string')
    throw invalidOption('export.name', 'a string', options.name)
  return walk(options.name, context, troubled)
}

async function* walk(name: string | undefined, context: Context, troubled: Troubled): AsyncIterable<string> {
  const { clock, sealer } = context
  context.refuseIfClosed()
  const keyIds = sealer.keyring?.keys.filter(({ isActive }) => isActive).map(({ id }) => id) ?? []
  yield checkedLine({ tidemark: 'export', version: EXPORT_VERSION, keyIds, exportedAt: clock.now() })
  let [entries, left] = [0, 0]
  for await (const key of keysOf(name, context, troubled)) {
    const entry = await newestOf(key, context)
    if (entry) yield checkedLine(fieldsOfEntry(sealer.seal(entry, EXPORT_PURPOSE)))
    if (entry) entries++
    else left++
  }
  yield checkedLine({ end: true, entries, left })
}

/** Each key once, whichever tiers have it. */
async function* keysOf(name: string | undefined, context: Context, troubled: Troubled): AsyncIterable<Key> {
  const { tiers } = context.stack
  const seen = new Set<string>()
  for (const [i, tier] of tiers.entries()) {
    for (const selector of selectorsOf(name)) {
      for await (const { key } of tier.keys(selector)) {
        context.refuseIfClosed()
        // What a tier keeps for itself.
        if (key.name.startsWith('#')) continue
        const id = `${key.name}\0${key.id}`
        if (seen.has(id)) continue
        if (i < tiers.length - 1) seen.add(id)
        yield key
      }
      // A guard makes a short list of a failure.
      const reason = troubled(i)
      if (reason === undefined) continue
      throw new TidemarkError('tier-unavailable', `The tier ${tier.name} could not be read to its end: ${reason}`)
    }
  }
}

/** The entry of a key that was loaded last, in any tier; nothing is copied upward for it. */
export async function newestOf(key: Key, { stack }: Context): Promise<Entry | undefined> {
  let newest: Entry | undefined
  for (const tier of stack.tiers) {
    const entry = await tier.get(key)
    if (entry && (newest === undefined || entry.loadedAt > newest.loadedAt)) newest = entry
  }
  return newest
}

function selectorsOf(name: string | undefined): Selector[] {
  if (name === undefined) return [{ kind: 'all' }]
  // The head of a collection is an entry under a name of its own.
  return [
    { kind: 'name', name },
    { kind: 'name', name: `${name}#head` },
  ]
}
