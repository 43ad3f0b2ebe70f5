import { VALUES } from '../database/tables.ts'
import { RequestError } from './failure.ts'

/** What a field of a request may be. */
type Kind = 'text' | 'slug' | 'uuid' | 'day' | 'whole' | 'boolean' | readonly string[]

/** A table that may be written, and what of it. */
export interface Writable {
  readonly table: string
  readonly fields: Readonly<Record<string, Kind>>
  /** Must be given, and be something, when a row is made. */
  readonly required: readonly string[]
}

/** What may be written, by its path. */
export const WRITABLE: Readonly<Record<string, Writable>> = {
  topics: {
    table: 'topics',
    fields: { slug: 'slug', title: 'text', status: VALUES.topicStatus, domain_id: 'uuid' },
    required: ['slug', 'title'],
  },
  workplans: {
    table: 'workplans',
    fields: {
      topic_id: 'uuid',
      repo_id: 'uuid',
      slug: 'slug',
      title: 'text',
      status: VALUES.workplanStatus,
      owner: 'text',
      due_date: 'day',
      planning_priority: VALUES.priority,
      planning_order: 'whole',
    },
    required: ['topic_id', 'slug', 'title'],
  },
  tasks: {
    table: 'tasks',
    fields: {
      workplan_id: 'uuid',
      title: 'text',
      status: VALUES.taskStatus,
      priority: VALUES.priority,
      assignee: 'text',
      due_date: 'day',
      blocking_reason: 'text',
      needs_human: 'boolean',
      intervention_note: 'text',
    },
    required: ['workplan_id', 'title'],
  },
  decisions: {
    table: 'decisions',
    fields: {
      topic_id: 'uuid',
      workplan_id: 'uuid',
      title: 'text',
      type: VALUES.decisionType,
      status: VALUES.decisionStatus,
      rationale: 'text',
      decided_by: 'text',
      deadline: 'day',
    },
    required: ['title'],
  },
}

/** Events are only ever added. */
export const PROGRESS: Writable = {
  table: 'progress_events',
  fields: {
    event_type: 'text',
    summary: 'text',
    author: 'text',
    topic_id: 'uuid',
    workplan_id: 'uuid',
    task_id: 'uuid',
  },
  required: ['event_type', 'summary'],
}

const TEXT_MAX = 10_000
/** Slugs are in an index, which takes no long ones. */
const SLUG_MAX = 200
const WHOLE_MAX = 2_147_483_647
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The fields of a request that makes a row. Errors: a `RequestError` that names the field. */
export function fieldsOfNew(writable: Writable, body: unknown): Map<string, unknown> {
  const fields = fieldsOf(writable, body)
  for (const name of writable.required) if ((fields.get(name) ?? null) === null) throw bad(name, 'given')
  return fields
}

/** The fields of a request that changes a row: those that are to change. Errors: a `RequestError` that names the field. */
export function fieldsOf(writable: Writable, body: unknown): Map<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw bad('body', 'a JSON object')
  const fields = new Map<string, unknown>()
  for (const [name, value] of Object.entries(body)) {
    const kind = Object.hasOwn(writable.fields, name) ? writable.fields[name] : undefined
    if (kind === undefined) throw bad(name, `one of ${Object.keys(writable.fields).join(', ')}`)
    if (value === null && writable.required.includes(name)) throw bad(name, 'given')
    if (value !== null) check(name, kind, value)
    fields.set(name, value)
  }
  if (fields.size === 0) throw bad('body', 'a JSON object with at least one field')
  return fields
}

/** Errors: a `RequestError`. */
export function checkId(id: string): string {
  if (!UUID.test(id)) throw bad('id', 'a UUID')
  return id
}

function check(name: string, kind: Kind, value: unknown): void {
  if (typeof kind !== 'string') {
    if (!kind.some((it) => it === value)) throw bad(name, `one of ${kind.join(', ')}`)
    return
  }
  if (!FITS[kind].test(value)) throw bad(name, FITS[kind].words)
}

const FITS: Readonly<
  Record<Extract<Kind, string>, { readonly words: string; readonly test: (value: unknown) => boolean }>
> = {
  text: { words: `a text of 1 to ${TEXT_MAX} characters without NUL`, test: (it) => isText(it, TEXT_MAX) },
  slug: { words: `a text of 1 to ${SLUG_MAX} characters without NUL`, test: (it) => isText(it, SLUG_MAX) },
  uuid: { words: 'a UUID', test: (it) => typeof it === 'string' && UUID.test(it) },
  day: { words: 'a day like 2026-01-31', test: (it) => typeof it === 'string' && isDay(it) },
  whole: { words: 'a whole number', test: (it) => Number.isInteger(it) && Math.abs(it as number) <= WHOLE_MAX },
  boolean: { words: 'true or false', test: (it) => typeof it === 'boolean' },
}

function isText(it: unknown, max: number): boolean {
  return typeof it === 'string' && it !== '' && it.length <= max && it.isWellFormed() && !it.includes('\0')
}

/** The year 0 is none that PostgreSQL knows. */
function isDay(text: string): boolean {
  const at = Date.parse(`${text}T00:00:00Z`)
  return (
    /^\d{4}-\d\d-\d\d$/.test(text) &&
    !text.startsWith('0000') &&
    !Number.isNaN(at) &&
    new Date(at).toISOString().startsWith(text)
  )
}

function bad(parameter: string, expected: string): RequestError {
  return new RequestError({
    status: 400,
    code: 'bad-parameter',
    message: `Expected \`${parameter}\` to be ${expected}.`,
  })
}
