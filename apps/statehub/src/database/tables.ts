// The tables of the hub, by what part of the summary is made of them.

/** What the main section is made of. */
export const CORE_TABLES = [
  'topics',
  'workplans',
  'tasks',
  'decisions',
  'workplan_dependencies',
  'managed_repos',
  'contributions',
  'capability_requests',
  'domains',
  'extension_points',
  'technical_debt',
  'sbom_snapshots',
] as const

/** What the section of the newest events is made of. */
export const PROGRESS_TABLES = ['progress_events'] as const

/** Belongs to its snapshot, and is counted with the main section. */
export const ENTRY_TABLES = ['sbom_entries'] as const

/** A table of the hub. */
export type TableName = (typeof CORE_TABLES)[number] | (typeof PROGRESS_TABLES)[number] | (typeof ENTRY_TABLES)[number]

/** All of them, in an order in which each comes after those it refers to. */
export const ALL_TABLES: readonly TableName[] = [
  'domains',
  'topics',
  'managed_repos',
  'workplans',
  'tasks',
  'decisions',
  'workplan_dependencies',
  'contributions',
  'capability_requests',
  'extension_points',
  'technical_debt',
  'sbom_snapshots',
  'sbom_entries',
  'progress_events',
]

/** What the columns with a few possible values may say. */
export const VALUES = {
  topicStatus: ['active', 'archived'],
  workplanStatus: ['proposed', 'ready', 'active', 'blocked', 'backlog', 'finished', 'archived'],
  taskStatus: ['wait', 'todo', 'progress', 'done', 'cancel'],
  priority: ['critical', 'high', 'medium', 'low'],
  decisionType: ['pending', 'made'],
  decisionStatus: ['open', 'escalated', 'resolved', 'superseded'],
  contributionType: ['BR', 'FR', 'EP', 'UPR'],
  requestStatus: [
    'requested',
    'accepted',
    'in_progress',
    'ready_for_review',
    'completed',
    'rejected',
    'withdrawn',
    'routing_disputed',
  ],
} as const

/** The ways for a workplan to be over, as SQL. */
export const OVER = "('finished', 'archived')"
