const texts = new WeakMap<object, string>()

/** A value as JSON, made once for each value that is shared. `null` for what JSON has no word for. */
export function textOf(value: unknown): string {
  const known = isShared(value) ? texts.get(value) : undefined
  if (known !== undefined) return known
  const text = (JSON.stringify(value) as string | undefined) ?? 'null'
  keepText(value, text)
  return text
}

/** Keeps what somebody has made already. */
export function keepText(value: unknown, text: string): void {
  if (isShared(value)) texts.set(value, text)
}

function isShared(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
