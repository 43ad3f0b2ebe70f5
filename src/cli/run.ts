import { parseArgs } from 'node:util'
import { isTidemarkError } from '../errors.ts'
import { UsageError, type Command, type CommandContext } from './command.ts'

/** Where a run prints, and what it knows of its surroundings. */
export interface Terminal {
  readonly out: (line: string) => void
  readonly err: (line: string) => void
  readonly env: CommandContext['env']
}

const COMMANDS: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>> = {
  migrate: {
    summary: 'copy what one tier has to another',
    load: async () => (await import('./migrate.ts')).migrateCommand,
  },
  'install-revisions': {
    summary: 'put the triggers on tables that tell views of changes',
    load: async () => (await import('./install-revisions.ts')).installRevisionsCommand,
  },
  'revisions-status': {
    summary: 'what is installed, and what is missing',
    load: async () => (await import('./revisions-status.ts')).revisionsStatusCommand,
  },
  'remove-revisions': {
    summary: 'take the triggers off again',
    load: async () => (await import('./remove-revisions.ts')).removeRevisionsCommand,
  },
}

/** Runs a command; resolves to the exit code: 0, 1 when it failed, 2 for an invocation that cannot be meant. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [name = 'help', ...args] = argv
  if (['help', '--help', '-h'].includes(name)) {
    terminal.out(overview())
    return 0
  }
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (!entry) {
    terminal.err(`There is no command ${name}.\n\n${overview()}`)
    return 2
  }
  const command = await entry.load()
  const usage = `Usage: tidemark ${name} ${command.usage} [--json]`
  try {
    const values = parsed(args, command)
    if (values['help'] === true) {
      terminal.out(`${usage}\n${entry.summary}`)
      return 0
    }
    const isJson = values['json'] === true
    const say = isJson ? (): void => {} : terminal.out
    const result = await command.run({ values, env: terminal.env, say })
    if (isJson) terminal.out(JSON.stringify(result))
    return 0
  } catch (error) {
    return failed(error, usage, terminal)
  }
}

function parsed(args: readonly string[], { options }: Command): CommandContext['values'] {
  const all = { ...options, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const
  try {
    return parseArgs({ args: [...args], options: all }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

function failed(error: unknown, usage: string, { err }: Terminal): number {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof UsageError || isTidemarkError(error, 'invalid-option')) {
    err(`${message}\n${usage}`)
    return 2
  }
  err(message === '' ? String(error) : message)
  if (isTidemarkError(error)) err(error.hint)
  return 1
}

function overview(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length))
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  return `Usage: tidemark <command> [options]\n\n${lines.join('\n')}\n\ntidemark <command> --help shows its options.`
}
