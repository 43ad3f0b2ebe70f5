// The summary as it is answered: one JSON object for the whole hub.

/** How many rows there are by status. */
export type ByStatus = Readonly<Record<string, number>>

/** A task, as lists show it. */
export interface TaskBrief {
  readonly id: string
  readonly title: string
  readonly status: string
  readonly priority: string
  readonly assignee: string | null
  readonly workplan_id: string
}

/** A workplan that is not over. */
export interface OpenWorkplan {
  readonly id: string
  readonly slug: string
  readonly title: string
  readonly status: string
  readonly owner: string | null
  readonly due_date: string | null
  readonly planning_priority: string | null
  readonly tasks: ByStatus
  /** Slugs of workplans it waits for, and of those that wait for it. */
  readonly depends_on: readonly string[]
  readonly blocks: readonly string[]
}

/** Something that can be done now, and why now. */
export interface NextStep {
  readonly id: string
  readonly because: 'decision-resolved' | 'dependency-cleared'
  readonly what: string
  readonly task: TaskBrief
}

/** What the main section has. */
export interface Core {
  readonly generated_at: string
  readonly totals: Readonly<Record<string, ByStatus>>
  readonly domains: readonly {
    readonly id: string
    readonly slug: string
    readonly topics: number
    readonly repos: number
  }[]
  readonly topics: readonly {
    readonly id: string
    readonly slug: string
    readonly title: string
    readonly status: string
    readonly workplans: ByStatus
  }[]
  readonly open_workplans: readonly OpenWorkplan[]
  readonly next_steps: readonly NextStep[]
  readonly blocking_decisions: readonly {
    readonly id: string
    readonly title: string
    readonly status: string
    readonly deadline: string | null
    readonly workplan_id: string | null
  }[]
  readonly waiting_tasks: readonly (TaskBrief & { readonly blocking_reason: string | null })[]
  readonly contributions: Readonly<Record<string, number>>
  readonly licence_risk_count: number
  readonly open_capability_requests: number
  readonly open_extension_points: number
  readonly open_technical_debt: number
}

/** What the section of the newest events has. What is counted of them is counted here, so that it moves with them. */
export interface Progress {
  readonly generated_at: string
  readonly total: number
  readonly newest: readonly {
    readonly id: string
    readonly event_type: string
    readonly summary: string
    readonly author: string | null
    readonly workplan_id: string | null
    readonly task_id: string | null
    readonly created_at: string
  }[]
}

/** The sections by name. */
export interface Sections {
  core: Core
  progress: Progress
}

/** The whole summary. `generated_at`: when its newest section was built. */
export type Snapshot = Core & {
  readonly recent_progress: Progress['newest']
  readonly progress_event_count: number
}

/** Puts the sections together. */
export function snapshotOf({ core, progress }: Readonly<Sections>): Snapshot {
  const generated_at = core.generated_at > progress.generated_at ? core.generated_at : progress.generated_at
  return { ...core, generated_at, progress_event_count: progress.total, recent_progress: progress.newest }
}

/** What a client has to have: all but when it was built, which differs between processes that say the same. */
export function contentOf(snapshot: Snapshot): object {
  return { ...snapshot, generated_at: null }
}
