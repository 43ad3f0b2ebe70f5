// What a section hands back. Plain data: it crosses a process boundary, and `--json` prints it as it is.

/** One line of a table. */
export interface Row {
  readonly label: string
  readonly value: number
  /** Beside the floor or the rival that the table names. */
  readonly ratio?: number
  readonly note?: string
}

/** Figures of one kind, measured in the same rounds. */
export interface Table {
  readonly title: string
  readonly unit: string
  /** The label of the row that ratios are taken against. */
  readonly against?: string
  readonly rows: readonly Row[]
}

/** A figure we want to reach, with what was measured. */
export interface Goal {
  readonly what: string
  readonly measured: number
  readonly limit: number
  readonly unit: string
  readonly better: 'lower' | 'higher'
}

/** Everything a section found out. */
export interface Report {
  readonly section: string
  readonly title: string
  /** Under which conditions: what a reader must know before believing a number. */
  readonly conditions: readonly string[]
  readonly tables: readonly Table[]
  readonly goals: readonly Goal[]
}

/** Whether a goal was reached. */
export function isMet(goal: Goal): boolean {
  return goal.better === 'lower' ? goal.measured <= goal.limit : goal.measured >= goal.limit
}

/** A report as tables a person reads. */
export function printed(report: Report): string {
  const head = [`\n■ ${report.section}: ${report.title}`, ...report.conditions.map((it) => `  ${it}`)]
  const goals = report.goals.map((goal) => `  ${isMet(goal) ? '✓' : '✗'} ${goalText(goal)}`)
  return [...head, ...report.tables.map(tableText), ...(goals.length > 0 ? ['', ...goals] : [])].join('\n')
}

function goalText(goal: Goal): string {
  const bound = goal.better === 'lower' ? '≤' : '≥'
  return `${goal.what}: ${shown(goal.measured)} ${goal.unit} (goal ${bound} ${shown(goal.limit)} ${goal.unit})`
}

function tableText(table: Table): string {
  const against = table.against === undefined ? '' : `   × ${table.against}`
  const width = Math.max(...table.rows.map((row) => row.label.length))
  const lines = table.rows.map((row) => {
    const ratio = row.ratio === undefined ? '' : `${row.ratio.toFixed(2)} ×`
    const cells = `    ${row.label.padEnd(width)} ${shown(row.value).padStart(12)} ${table.unit.padEnd(6)} ${ratio.padStart(9)}`
    return `${cells}   ${row.note ?? ''}`.trimEnd()
  })
  return [`\n  ${table.title}${against}`, ...lines].join('\n')
}

function shown(value: number): string {
  const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
