import type { Selector } from '../../key.ts'
import type { Connection } from './connection.ts'
import type { Names } from './names.ts'

/** A condition on rows with its parameters. */
export interface Where {
  readonly sql: string
  readonly parameters: readonly (string | number)[]
}

/** When a row is past its time, with what an invalidation took off it. One parameter: now. */
export const IS_PAST = 'min(fresh_until, coalesce(stale_at, fresh_until)) + coalesce(keep_ms, 0) <= ?'

/** The rows a selector means, or `undefined` when there can be none. */
export function whereOf(selector: Selector, connection: Connection, names: Names): Where | undefined {
  switch (selector.kind) {
    case 'key':
      return whereKey(selector.key.name, selector.key.id, connection, names)
    case 'scope':
      return whereScope(selector.scope, selector.name, connection, names)
    case 'era':
      return { sql: `scope = ? AND extra ->> '$.era' = ? AND ${LIVE_NAME}`, parameters: [selector.scope, selector.era] }
    case 'tag':
      // An entry that was put again without tags still has its old ones in the index; what it says itself counts.
      return {
        sql: `id IN (SELECT entry FROM tags WHERE tag = ?) AND instr(extra, ?) > 0 AND ${LIVE_NAME}`,
        parameters: [selector.tag, JSON.stringify(selector.tag)],
      }
    case 'name': {
      const live = names.find(connection, selector.name)
      return live === undefined ? undefined : { sql: 'name = ?', parameters: [live] }
    }
    case 'all':
      return { sql: LIVE_NAME, parameters: [] }
  }
}

const LIVE_NAME = 'name IN (SELECT id FROM names WHERE dropped = 0)'

function whereKey(name: string, id: string, connection: Connection, names: Names): Where | undefined {
  const live = names.find(connection, name)
  return live === undefined ? undefined : { sql: 'kh = ? AND key = ?', parameters: [connection.hash.of(live, id), id] }
}

function whereScope(scope: string, name: string | undefined, connection: Connection, names: Names): Where | undefined {
  if (name === undefined) return { sql: `scope = ? AND ${LIVE_NAME}`, parameters: [scope] }
  const live = names.find(connection, name)
  return live === undefined ? undefined : { sql: 'scope = ? AND name = ?', parameters: [scope, live] }
}
