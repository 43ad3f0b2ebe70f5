// Which tables a statement of Drizzle writes. What it says of a statement leaves out its `with` clauses, so those are read
// as they were written out: names are quoted there, and values are parameters.

const WRITING: ReadonlySet<unknown> = new Set(['insert', 'update', 'delete'])
const WRITTEN = /\b(?:insert into|update|delete from) ((?:"(?:[^"]|"")+"\.)?"(?:[^"]|"")+")/g

/** The tables of a statement, from what its session was asked to prepare; none for raw SQL, which is not looked into. */
export function mutatedTables(args: readonly unknown[]): readonly string[] {
  const about = args.find(isAbout)
  if (!about) return []
  const own = WRITING.has(about.type) ? about.tables : []
  return [...new Set([...own, ...tablesIn(args[0])])]
}

/** Only PostgreSQL has writes in a `with` clause, and only at the beginning. */
function tablesIn(query: unknown): string[] {
  const { sql } = (query ?? {}) as { readonly sql?: unknown }
  if (typeof sql !== 'string' || !sql.startsWith('with ')) return []
  return Array.from(sql.matchAll(WRITTEN), ([, name]) => unquoted(name as string))
}

function unquoted(name: string): string {
  return name.replaceAll(/"((?:[^"]|"")+)"/g, (_, part: string) => part.replaceAll('""', '"'))
}

/** What Drizzle knows of a statement it prepares: its kind and its tables. */
interface About {
  readonly type: unknown
  readonly tables: readonly string[]
}

function isAbout(it: unknown): it is About {
  return typeof it === 'object' && it !== null && 'type' in it && 'tables' in it && Array.isArray(it.tables)
}
