/** What a statement does to a transaction. */
export type TransactionControl =
  | { readonly kind: 'begin' | 'commit' | 'rollback' }
  | { readonly kind: 'savepoint' | 'rollback-to' | 'release'; readonly name: string }

const NAME = String.raw`\s+("(?:[^"]|"")+"|\w+)`
const FORMS: readonly (readonly [TransactionControl['kind'], RegExp])[] = [
  ['rollback-to', new RegExp(String.raw`^rollback(?:\s+work|\s+transaction)?\s+to(?:\s+savepoint)?${NAME}`, 'i')],
  ['release', new RegExp(String.raw`^release(?:\s+savepoint)?${NAME}`, 'i')],
  ['savepoint', new RegExp(String.raw`^savepoint${NAME}`, 'i')],
  ['begin', /^(?:begin|start\s+transaction)\b/i],
  ['commit', /^(?:commit|end)\b(?!\s+prepared)/i],
  ['rollback', /^(?:rollback|abort)\b(?!\s+prepared)/i],
]

/** What SQL that was written by hand does to the transaction it runs in; `undefined` for everything else. */
export function controlOf(sql: string): TransactionControl | undefined {
  const text = sql.trimStart()
  for (const [kind, form] of FORMS) {
    const match = form.exec(text)
    if (match) return { kind, name: plain(match[1] ?? '') }
  }
  return undefined
}

function plain(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase()
}
