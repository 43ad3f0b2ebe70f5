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

/** The tables a statement writes, also in its `with` clauses; none for raw SQL, which has no tree. */
export function mutatedTables(query: object): string[] {
  const node = query as Node
  const target = TARGETS[node.kind]
  const own = target === undefined ? [] : namesOf(node[target])
  const withNode = node['with'] as { expressions?: readonly { expression?: unknown }[] } | undefined
  const inner = withNode?.expressions?.flatMap(({ expression }) =>
    isNode(expression) ? mutatedTables(expression) : [],
  )
  return [...new Set([...own, ...(inner ?? [])])]
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
