const CELLS = 30

/** A line that says how far something has come, drawn over itself; nothing where nobody looks. */
export function progressBar(
  terminal: { readonly isTTY?: boolean; write(text: string): unknown },
  what: string,
): (done: number, total: number) => void {
  if (terminal.isTTY !== true) return () => {}
  return (done, total) => {
    const filled = Math.round((CELLS * done) / total)
    const end = done === total ? '\n' : ''
    terminal.write(`\r\x1b[2K${what} ${'█'.repeat(filled)}${'░'.repeat(CELLS - filled)} ${done}/${total}${end}`)
  }
}
