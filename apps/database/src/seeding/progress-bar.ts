/** Where a bar is drawn: `process.stderr`. */
export interface Screen {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}

const CELLS = 30

/** Shows how far something has come: a bar drawn over itself on a screen, a line for each step in a log. */
export function progressBar(screen: Screen): (done: number, total: number, step: string) => void {
  let shown = ''
  return (done, total, step) => {
    const filled = Math.round((CELLS * done) / total)
    const line = `${'█'.repeat(filled)}${'░'.repeat(CELLS - filled)} ${done}/${total} ${step}`
    if (screen.isTTY === true) screen.write(`\r\x1b[2K${line}${done === total ? '\n' : ''}`)
    else if (shown !== step || done === total) screen.write(`${line}\n`)
    shown = step
  }
}
