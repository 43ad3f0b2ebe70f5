/** The environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/** A whole number from the environment. Throws a `RangeError` that names the variable. */
export function wholeFrom(env: Environment, name: string, fallback: number, max: number): number {
  const text = env[name] || String(fallback)
  if (!/^\d{1,9}$/.test(text) || Number(text) > max) {
    throw new RangeError(`Expected ${name} to be a whole number up to ${max}, got '${text}'.`)
  }
  return Number(text)
}

/** A comma-separated list from the environment; empty entries count for nothing. */
export function listFrom(env: Environment, name: string): string[] {
  return (env[name] ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}
