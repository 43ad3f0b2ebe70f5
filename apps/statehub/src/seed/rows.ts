import { Random } from '@tidemark/database'
import { VALUES, type TableName } from '../database/tables.ts'

/** How many rows of each kind a seeded hub has. */
export const SEED_COUNTS = {
  domains: 14,
  topics: 20,
  managed_repos: 55,
  workplans: 300,
  tasks: 3_000,
  decisions: 150,
  workplan_dependencies: 120,
  contributions: 40,
  capability_requests: 60,
  extension_points: 40,
  technical_debt: 80,
  sbom_snapshots: 200,
  progress_events: 20_000,
} as const

/** A row as it is inserted; every table also has `id`, `created_at` and `updated_at`. */
export type SeedRow = Readonly<Record<string, unknown>>

const ENTRIES_PER_SNAPSHOT = 6
const DAY_MS = 86_400_000
const YEAR_DAYS = 365

const PARTS = ['ingest', 'search', 'billing', 'identity', 'metrics', 'editor', 'sync', 'export', 'review', 'deploy']
const VERBS = ['Migrate', 'Document', 'Measure', 'Split', 'Harden', 'Replace', 'Test', 'Simplify', 'Automate']
const PEOPLE = ['ada', 'boris', 'chidi', 'dana', 'emil', 'farah', 'goran', 'hana', 'imre', 'jun']
const LICENCES = ['MIT', 'MIT', 'Apache-2.0', 'Apache-2.0', 'BSD-3-Clause', 'ISC', 'GPL-3.0', 'AGPL-3.0', undefined]
const EVENTS = ['task_done', 'task_started', 'decision_made', 'note', 'blocked', 'unblocked', 'workplan_ready']

/**
 * The rows of a hub, table by table in the order in which they can be inserted.
 *
 * @param seed the same seed gives the same rows
 * @param now milliseconds since 1970; everything happened before
 */
export function* seedRows(seed: number, now: number): Generator<readonly [TableName, SeedRow[]]> {
  const random = new Random(seed)
  const at = (daysMax: number): string => new Date(now - random.below(daysMax * DAY_MS)).toISOString()
  const day = (): string => new Date(now + (random.below(120) - 40) * DAY_MS).toISOString().slice(0, 10)
  const base = (): { id: string; created_at: string; updated_at: string } => {
    const created_at = at(YEAR_DAYS)
    return { id: random.uuid(), created_at, updated_at: created_at }
  }
  const made = <R extends SeedRow>(count: number, row: (i: number) => R) =>
    Array.from({ length: count }, (_, i) => ({ ...base(), ...row(i) }))
  const title = (): string => `${random.pick(VERBS)} ${random.pick(PARTS)} ${random.pick(PARTS)}`
  const idOf = (rows: readonly { readonly id: string }[]): string => random.pick(rows).id
  const maybe = <T>(share: number, value: () => T): T | undefined => (random.isLikely(share) ? value() : undefined)

  const domains = made(SEED_COUNTS.domains, (i) => ({
    slug: `domain-${i + 1}`,
    name: `Domain ${i + 1}`,
    description: title(),
    status: i < 12 ? 'active' : 'archived',
  }))
  yield ['domains', domains]
  const topics = made(SEED_COUNTS.topics, (i) => ({
    slug: `topic-${i + 1}`,
    title: title(),
    status: i < 17 ? 'active' : 'archived',
    domain_id: idOf(domains),
  }))
  yield ['topics', topics]
  const repos = made(SEED_COUNTS.managed_repos, (i) => ({
    domain_id: idOf(domains),
    slug: `repo-${i + 1}`,
    name: `${random.pick(PARTS)}-${i + 1}`,
    remote_url: `https://git.example/hub/repo-${i + 1}.git`,
    last_state_synced_at: maybe(0.8, () => at(30)),
  }))
  yield ['managed_repos', repos]
  // Most of a hub is done; what is open is what a summary is for.
  const statuses = ['finished', 'finished', 'archived', 'archived', 'archived', 'active', 'ready', 'blocked', 'backlog']
  const workplans = made(SEED_COUNTS.workplans, (i) => ({
    topic_id: idOf(topics),
    repo_id: maybe(0.8, () => idOf(repos)),
    slug: `workplan-${i + 1}`,
    title: title(),
    status: random.isLikely(0.75) ? random.pick(statuses.slice(0, 5)) : random.pick(statuses.slice(5)),
    owner: maybe(0.7, () => random.pick(PEOPLE)),
    due_date: maybe(0.5, day),
    planning_priority: maybe(0.6, () => random.pick(VALUES.priority)),
    planning_order: random.below(100),
  }))
  yield ['workplans', workplans]
  const tasks = made(SEED_COUNTS.tasks, () => {
    const workplan = random.pick(workplans)
    const isOver = workplan.status === 'finished' || workplan.status === 'archived'
    const status = isOver ? 'done' : random.pick(VALUES.taskStatus)
    return {
      workplan_id: workplan.id,
      title: title(),
      status,
      priority: random.pick(VALUES.priority),
      assignee: maybe(0.6, () => random.pick(PEOPLE)),
      due_date: maybe(0.3, day),
      blocking_reason: status === 'wait' ? `waits for ${random.pick(PARTS)}` : undefined,
      needs_human: !isOver && random.isLikely(0.03),
    }
  })
  yield ['tasks', tasks]
  yield [
    'decisions',
    made(SEED_COUNTS.decisions, () => {
      const workplan = random.pick(workplans)
      const type = random.pick(VALUES.decisionType)
      const status = type === 'made' || random.isLikely(0.8) ? 'resolved' : random.pick(VALUES.decisionStatus)
      const decided = status === 'resolved' ? { decided_by: random.pick(PEOPLE), updated_at: at(20) } : {}
      return { topic_id: workplan.topic_id, workplan_id: workplan.id, title: title(), type, status, ...decided }
    }),
  ]
  yield ['workplan_dependencies', dependencies(random, workplans).map((row) => ({ ...base(), ...row }))]
  yield [
    'contributions',
    made(SEED_COUNTS.contributions, () => ({
      type: random.pick(VALUES.contributionType),
      status: random.pick(['draft', 'submitted', 'merged', 'declined']),
      topic_id: idOf(topics),
      title: title(),
      submitted_at: maybe(0.7, () => at(90)),
    })),
  ]
  yield [
    'capability_requests',
    made(SEED_COUNTS.capability_requests, () => ({
      requesting_domain_id: idOf(domains),
      fulfilling_domain_id: maybe(0.7, () => idOf(domains)),
      title: title(),
      status: random.pick(VALUES.requestStatus),
      blocking_task_id: maybe(0.2, () => idOf(tasks)),
    })),
  ]
  yield [
    'extension_points',
    made(SEED_COUNTS.extension_points, (i) => ({
      ep_id: `EP-${i + 1}`,
      domain_id: idOf(domains),
      title: title(),
      ep_type: random.pick(['api', 'event', 'file']),
      status: random.pick(['open', 'taken', 'closed']),
      priority: random.pick(VALUES.priority),
      location: `src/${random.pick(PARTS)}`,
    })),
  ]
  yield [
    'technical_debt',
    made(SEED_COUNTS.technical_debt, (i) => ({
      td_id: `TD-${i + 1}`,
      domain_id: idOf(domains),
      title: title(),
      debt_type: random.pick(['design', 'code', 'test', 'build']),
      severity: random.pick(VALUES.priority),
      status: random.pick(['open', 'planned', 'paid']),
    })),
  ]
  const snapshots = made(SEED_COUNTS.sbom_snapshots, () => ({
    repo_id: idOf(repos),
    snapshot_at: at(90),
    source: random.pick(['lockfile', 'scanner']),
  }))
  yield ['sbom_snapshots', snapshots]
  yield [
    'sbom_entries',
    snapshots.flatMap(({ id }) =>
      made(ENTRIES_PER_SNAPSHOT, () => ({
        snapshot_id: id,
        ecosystem: random.pick(['npm', 'pypi', 'crates']),
        package: `${random.pick(PARTS)}-${random.below(40)}`,
        licence: random.pick(LICENCES),
        direct: random.isLikely(0.4),
      })),
    ),
  ]
  yield [
    'progress_events',
    made(SEED_COUNTS.progress_events, () => {
      const task = random.pick(tasks)
      return {
        event_type: random.pick(EVENTS),
        summary: title(),
        author: random.pick(PEOPLE),
        workplan_id: task.workplan_id,
        task_id: task.id,
      }
    }),
  ]
}

/** Pairs of workplans, each once; a later one depends on an earlier one, so there are no circles. */
function dependencies(
  random: Random,
  workplans: readonly { readonly id: string }[],
): { readonly from_id: string; readonly to_id: string }[] {
  const pairs = new Map<string, { readonly from_id: string; readonly to_id: string }>()
  while (pairs.size < SEED_COUNTS.workplan_dependencies) {
    const later = 1 + random.below(workplans.length - 1)
    const pair = { from_id: workplans[later]?.id as string, to_id: workplans[random.below(later)]?.id as string }
    pairs.set(`${pair.from_id} ${pair.to_id}`, pair)
  }
  return [...pairs.values()]
}
