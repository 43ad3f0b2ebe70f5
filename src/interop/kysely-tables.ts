// Which tables a statement writes, from the tree Kysely made of it.

interface Node {
  readonly kind: string
  readonly [part: string]: unknown
}

/** The part of a writing statement that names its table. */
const TARGETS: Readonly<Record<string, string>> = {
  InsertQueryNode: 'into',
  UpdateQueryNode: 'table',
  DeleteQueryNode: 'from',
  MergeQueryNode: 'into',
}

/** What a statement writes. */
export interface Mutated {
  /** Its own table, or tables: those the number of affected rows speaks of. */
  readonly own: readonly string[]
  /** Those of the statements in its `with` clauses, whose rows nobody counts. */
  readonly within: readonly string[]
}

/** The tables a statement writes; none for raw SQL, which has no tree. */
export function mutatedTables(query: object): Mutated {
  const node = query as Node
  const target = TARGETS[node.kind]
  const own = target === undefined ? [] : namesOf(node[target])
  const withNode = node['with'] as { expressions?: readonly { expression?: unknown }[] } | undefined
  const within = (withNode?.expressions ?? []).flatMap(({ expression }) => {
    if (!isNode(expression)) return []
    const inner = mutatedTables(expression)
    return [...inner.own, ...inner.within]
  })
  return { own, within }
}

/** `schema.table` for every table that is named here, behind aliases and in lists. */
function namesOf(part: unknown): string[] {
  if (!isNode(part)) return []
  if (part.kind === 'TableNode') return [nameOf(part['table'] as SchemableIdentifier)]
  const parts = [part['node'], part['froms'], part['items']].flat()
  return parts.flatMap(namesOf)
}

interface SchemableIdentifier {
  readonly schema?: { readonly name: string }
  readonly identifier: { readonly name: string }
}

function nameOf({ schema, identifier }: SchemableIdentifier): string {
  return schema ? `${schema.name}.${identifier.name}` : identifier.name
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value
}
