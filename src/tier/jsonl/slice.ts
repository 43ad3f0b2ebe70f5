/** Work that can wait is done in pieces of about this long. */
export const SLICE_MS = 3

/** Waits for work that does not keep the process alive by itself. */
export async function finished(work: Promise<void> | undefined): Promise<void> {
  const alive = setInterval(() => {}, 1_000)
  await work
  clearInterval(alive)
}

/** Lets everything else run, and does not keep the process alive for what can wait. */
export function breath(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 1).unref()
  })
}
