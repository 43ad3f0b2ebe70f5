import type { ParseArgsOptionsConfig } from 'node:util'

/** What a command is given. */
export interface CommandContext {
  readonly values: Readonly<Record<string, string | boolean | undefined>>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Prints a line for a person, or, with `--json`, nothing. */
  readonly say: (line: string) => void
}

/** One command of `tidemark`. */
export interface Command {
  /** What follows its name in the usage. */
  readonly usage: string
  readonly options: ParseArgsOptionsConfig
  /** Does the work; what it resolves to is printed by `--json`. */
  run(context: CommandContext): Promise<unknown>
}

/** An invocation that cannot be meant: the usage is shown. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The value of an option that must be there. */
export function required(values: CommandContext['values'], name: string): string {
  const value = values[name]
  if (typeof value === 'string' && value !== '') return value
  throw new UsageError(`--${name} is missing.`)
}

/** A list given as `a,b,c`. */
export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((it) => it.trim())
    .filter((it) => it !== '')
}
