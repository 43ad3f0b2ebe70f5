const texts = new WeakMap<object, string>()

/**
 * A body of several values as JSON. The text of a value is made once: during an outage the same lists are asked for again and
 * again, and 1 200 rows take a while.
 */
export function bodyOf(values: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(values).map(([name, value]) => `${JSON.stringify(name)}:${textOf(value)}`)
  return `{${parts.join(',')}}`
}

function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  let text = texts.get(value)
  if (text === undefined) texts.set(value, (text = JSON.stringify(value)))
  return text
}
