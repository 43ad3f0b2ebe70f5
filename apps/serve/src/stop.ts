/**
 * Runs `stop` once, at the first SIGINT or SIGTERM, and lets the process end by itself; a second signal ends it at once.
 * Returns how to stop without a signal.
 */
export function stopOnSignal(stop: () => Promise<void>): () => Promise<void> {
  let stopping: Promise<void> | undefined
  const once = (): Promise<void> => (stopping ??= stop())
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1)
      void once()
    })
  }
  return once
}
