import { Random } from '@tidemark/database'
import type { Deployment, Vendor, WorkItem } from '../database/records.ts'

const VENDORS = 45
/** Four of five work. */
const OPERATIONAL_OF_5 = 4
const WORK_ITEMS = 1_200
const DEPLOYMENTS = 50
const DAY_MS = 86_400_000
const YEARS_MS = 5 * 365 * DAY_MS
/** The last day of the five years. */
const END_MS = Date.UTC(2026, 5, 30)
const DEPTH_MAX = 5

const FIRST = ['North', 'Blue', 'Iron', 'Silver', 'Harbour', 'Granite', 'Meadow', 'Summit', 'Delta']
const SECOND = ['Freight', 'Paper', 'Foods', 'Energy', 'Glass']
const VERBS = ['Read', 'Check', 'Map', 'Test', 'Document', 'Repair', 'Measure', 'Compare']
const OBJECTS = ['invoices', 'delivery notes', 'price lists', 'order confirmations', 'credit notes', 'statements']

/** Everything a seeded database has. */
export interface SeedRows {
  readonly vendors: readonly Vendor[]
  readonly workItems: readonly WorkItem[]
  readonly deployments: readonly Deployment[]
}

/** 45 vendors, 1 200 work items over five years and 50 deployments; the same rows every time. */
export function seedRows(): SeedRows {
  const random = new Random(2026)
  return {
    vendors: Array.from({ length: VENDORS }, (_, i) => vendor(random, i)),
    workItems: workItems(random),
    deployments: Array.from({ length: DEPLOYMENTS }, (_, i) => deployment(random, i)),
  }
}

function vendor(random: Random, i: number): Vendor {
  const isOperational = i % 5 < OPERATIONAL_OF_5
  const at = new Date(END_MS - random.below(YEARS_MS))
  const version = `${1 + random.below(3)}.${random.below(10)}.${random.below(20)}`
  const total = 20 + random.below(60)
  const failing = isOperational ? 0 : 1 + random.below(5)
  return {
    id: random.uuid(),
    version: 1,
    name: `${FIRST[i % FIRST.length]} ${SECOND[Math.floor(i / FIRST.length)]}`,
    status: isOperational ? 'operational' : 'broken',
    extractor_version: version,
    metadata: {
      format_support: { excel: random.next() < 0.6, csv: random.next() < 0.8, pdf: true, ocr: random.next() < 0.3 },
      test_results: { passing: total - failing, total, skipped: random.below(3) },
      extractor_version: version,
      manifest_compliant: isOperational || random.next() < 0.5,
    },
    created_at: at,
    updated_at: new Date(Math.min(END_MS, at.getTime() + random.below(90) * DAY_MS)),
    created_by: 'seed',
  }
}

/** Oldest first, so that a parent comes before its children. */
function workItems(random: Random): WorkItem[] {
  const items: WorkItem[] = []
  for (let i = 0; i < WORK_ITEMS; i++) {
    const parent = i > 0 && random.next() < 0.7 ? items[Math.max(0, i - 1 - random.below(40))] : undefined
    items.push(workItem(random, i, parent && parent.depth < DEPTH_MAX ? parent : undefined))
  }
  return items
}

function workItem(random: Random, i: number, parent: WorkItem | undefined): WorkItem {
  const id = random.uuid()
  const at = new Date(Math.floor(END_MS - YEARS_MS + (YEARS_MS * i) / WORK_ITEMS))
  const type = parent ? random.pick(['session', 'task', 'task', 'research'] as const) : ('project' as const)
  const isDone = random.next() < 0.8
  const hasBranch = type === 'task' && random.next() < 0.7
  return {
    id,
    version: 1,
    title: `${random.pick(VERBS)} ${random.pick(OBJECTS)} of ${random.pick(FIRST)} ${random.pick(SECOND)}`,
    description: random.next() < 0.6 ? `What is asked for: ${random.pick(OBJECTS)}, line by line.` : null,
    notes: random.next() < 0.2 ? 'Samples are in the archive.' : null,
    item_type: type,
    status: isDone ? 'completed' : random.pick(['active', 'active', 'blocked'] as const),
    parent_id: parent?.id ?? null,
    path: `${parent?.path ?? ''}/${id}`,
    depth: parent ? parent.depth + 1 : 0,
    branch_name: hasBranch ? `${String(i).padStart(4, '0')}-${random.pick(VERBS).toLowerCase()}` : null,
    commit_hash: hasBranch ? random.hex(40) : null,
    pr_number: hasBranch && isDone ? 100 + i : null,
    metadata: metadataOf(random, type),
    deleted_at: null,
    created_at: at,
    updated_at: new Date(Math.min(END_MS, at.getTime() + random.below(30) * DAY_MS)),
    created_by: 'seed',
  }
}

function metadataOf(random: Random, type: WorkItem['item_type']): WorkItem['metadata'] {
  if (type === 'project') return { constitution_principles: ['small steps'], target_quarter: `Q${1 + random.below(4)}` }
  if (type === 'session') return { token_budget: 100_000 * (1 + random.below(3)), prompts: random.below(60) }
  if (type === 'task') return { estimate_hours: 0.5 * (1 + random.below(16)), blocked_reason: null }
  return { findings: random.below(5), references: [`https://example.com/${random.hex(6)}`] }
}

function deployment(random: Random, i: number): Deployment {
  const at = new Date(Math.floor(END_MS - (YEARS_MS * i) / DEPLOYMENTS))
  const total = 400 + random.below(600)
  return {
    id: random.uuid(),
    deployed_at: at,
    pr_number: 1_300 - i * 20,
    pr_title: `${random.pick(VERBS)} ${random.pick(OBJECTS)}`,
    commit_hash: random.hex(40),
    duration_seconds: (30 + random.next() * 300).toFixed(3),
    artifact_bytes: 5_000_000_000 + random.below(1_000_000_000),
    metadata: { unit_tests: { passed: total, total }, constitutional_compliance: true },
    created_at: at,
    created_by: 'seed',
  }
}
