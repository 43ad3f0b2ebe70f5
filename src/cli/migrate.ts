import { ProgressBar } from '../artifact/progress-bar.ts'
import { keyring } from '../seal/keyring.ts'
import { migrate, type MigrateReport } from '../tidemark/migrate.ts'
import { required, type Command, type CommandContext } from './command.ts'
import { TIER_USAGE, namedTier } from './migrate-tier.ts'

/** Where the keys are looked for, as a service's own. */
const KEYS_VARIABLE = 'TIDEMARK_KEYS'
const PROBLEMS_SHOWN = 10

/** Copies the entries of one tier to another; done again, only what is missing or newer. */
export const migrateCommand: Command = {
  usage: `--from ${TIER_USAGE} --to ${TIER_USAGE} [--name NAME] [--dry-run] [--from-prefix PREFIX] [--to-prefix PREFIX] [--keys-file FILE]`,
  options: {
    from: { type: 'string' },
    to: { type: 'string' },
    name: { type: 'string' },
    'dry-run': { type: 'boolean' },
    'from-prefix': { type: 'string' },
    'to-prefix': { type: 'string' },
    'keys-file': { type: 'string' },
  },
  run: async (context) => {
    const report = await copy(context)
    tell(report, context)
    return report
  },
}

async function copy({ values, env }: CommandContext): Promise<MigrateReport> {
  const text = (name: string): string | undefined => values[name] as string | undefined
  const [from, to] = [required(values, 'from'), required(values, 'to')]
  const dryRun = values['dry-run'] === true
  const keys = keysFrom(text('keys-file'), env)
  const bar = new ProgressBar(values['json'] === true ? undefined : process.stderr, 'migrate')
  const source = await namedTier(from, { option: 'from', mustExist: true, prefix: text('from-prefix') })
  try {
    const target = await namedTier(to, { option: 'to', mustExist: false, prefix: text('to-prefix') })
    try {
      return await migrate({
        from: source.tier,
        to: target.tier,
        name: text('name'),
        keyring: keys,
        dryRun,
        onProgress: (done, total) => bar.show(done, total),
      })
    } finally {
      bar.end()
      await target.close()
    }
  } finally {
    await source.close()
  }
}

function keysFrom(file: string | undefined, env: CommandContext['env']): ReturnType<typeof keyring> | undefined {
  if (file !== undefined) return keyring.fromFile(file)
  return env[KEYS_VARIABLE] === undefined ? undefined : keyring.fromEnv(KEYS_VARIABLE)
}

/** What each count says to a person. */
const SAID: readonly (readonly [count: Exclude<keyof MigrateReport, 'problems'>, text: string])[] = [
  ['older', 'were there already, as new or newer'],
  ['expired', 'were past their time'],
  ['tooLarge', 'are too large for the target'],
  ['damaged', 'are damaged'],
  ['unopened', `are sealed under a key that is not in the keyring (--keys-file, or ${KEYS_VARIABLE})`],
  ['otherEra', 'are of another era than what the target has'],
  ['changed', 'changed meanwhile: run it again'],
  ['evicted', 'left the target for want of room'],
]

function tell(report: MigrateReport, { values, say }: CommandContext): void {
  say(`${report.copied} ${values['dry-run'] === true ? 'would be copied' : 'copied'}`)
  for (const [count, text] of SAID) if (report[count] > 0) say(`${report[count]} ${text}`)
  for (const { key, message } of report.problems.slice(0, PROBLEMS_SHOWN))
    say(`  ${key ? `${key.name} ${key.id}: ` : ''}${message}`)
  const hidden = report.problems.length - PROBLEMS_SHOWN
  if (hidden > 0) say(`  … and ${hidden} more; --json has them`)
}
