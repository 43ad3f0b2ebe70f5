/** The value of a JSON text. Errors: `SyntaxError` that says where it ends to be JSON, and never quotes it. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // The platform quotes what is around the place, which may be a password.
    const [, at] = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec((error as Error).message) ?? []
    throw new SyntaxError(at === undefined ? 'It is no JSON.' : `It is no JSON (at character ${Number(at) + 1}).`)
  }
}
