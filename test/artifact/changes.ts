// Every kind of change a store can make, from one state to another.

import { fileOf, type Note, type OpenStore } from './open.ts'

export const NOTE: Note = { folder: 'unit-7', filename: 'A001.N00', id: 'a' }
export const OTHER: Note = { folder: 'unit-7', filename: 'B001.N00', id: 'b', time: '2026-05-02T00:00:00' }

/** What a store holds before and after each change: the text of the file and the review of {@link NOTE}, or nothing. */
export const CHANGES: Readonly<Record<string, { readonly before: State; readonly after: State }>> = {
  'first save': { before: undefined, after: { text: fileOf(['one']), review: {} } },
  'save over it': {
    before: { text: fileOf(['old'.repeat(9000)]), review: { ok: true } },
    after: { text: fileOf(['one']), review: { ok: true } },
  },
  regenerate: {
    before: { text: fileOf(['old']), review: { ok: true } },
    after: { text: fileOf(['old'], 2), review: { ok: true } },
  },
  annotate: {
    before: { text: fileOf(['old']), review: {} },
    after: { text: fileOf(['old']), review: { ok: true } },
  },
  delete: { before: { text: fileOf(['old']), review: { ok: true } }, after: undefined },
  gc: { before: { text: fileOf(['old']), review: {} }, after: undefined },
}

/** The text of a file and what people said of it. */
export type State = { readonly text: string; readonly review: object } | undefined

/** Brings an empty store into the state before a change; another note is always there. */
export async function prepare({ notes }: OpenStore, change: string): Promise<void> {
  await notes.save(OTHER, ['other'])
  const before = CHANGES[change]?.before
  if (!before) return
  await notes.save(NOTE, before.text.split('\n').slice(1, -1))
  await notes.annotate(NOTE.folder, NOTE.filename, { review: { ...before.review } })
}

export async function makeChange({ notes }: OpenStore, change: string): Promise<void> {
  const { folder, filename } = NOTE
  if (change === 'first save' || change === 'save over it') await notes.save(NOTE, ['one'])
  else if (change === 'regenerate') await notes.regenerate({ folder, filename })
  else if (change === 'annotate') await notes.annotate(folder, filename, { review: { ok: true } })
  else if (change === 'delete') await notes.delete(folder, filename)
  else if (change === 'gc') await notes.gc({ maxFiles: 1 })
  else throw new Error(`There is no change '${change}'.`)
}

/** What a store holds of {@link NOTE}. */
export async function stateOf({ notes }: OpenStore): Promise<State> {
  const file = await notes.open(NOTE.folder, NOTE.filename)
  return file && { text: Buffer.from(await file.bytes()).toString(), review: file.review }
}
