import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Board } from './board.ts'
import type { HostileFile, HostileReport } from './hostile-main.ts'

const LINES = 1_000_000
const GROWTH_MB_MAX = 250
const LATER_MB_MAX = 20
/** A heap that would not take the files. */
const HEAP_MB = 64

/** What hostile files do to the memory of the process that imports them, and what their report says. */
export async function hostileImports(folder: string, board: Board): Promise<void> {
  const files: readonly (readonly [HostileFile, (report: HostileReport) => boolean])[] = [
    ['a line of 10 MB', ({ loaded, failed, firstFailure }) => loaded === 1 && failed === 1 && firstFailure?.line === 1],
    ['64 MB of binary', ({ loaded, failed }) => loaded === 0 && failed > 1_000],
    ['many lines', ({ loaded, failed, skipped }) => loaded === 5_000 && failed === 500_000 && skipped === 495_000],
  ]
  for (const [file, isRight] of files) {
    const report = await imported(file, join(folder, file.replaceAll(' ', '-')))
    const { loaded, skipped, failed, firstFailure, growthMb, laterMb, tookMs } = report
    const first =
      firstFailure &&
      `, first: line ${firstFailure.line}, ${firstFailure.reason.replaceAll(/[^ -~]+/g, '…').slice(0, 60)}`
    board.say(
      file === 'many lines' ? `import of ${LINES} lines` : `import of ${file}`,
      `${loaded} loaded, ${skipped} skipped, ${failed} failed${first ?? ''}; ${growthMb} MB more memory at most, ${laterMb} MB of it after the first 100 000 lines (targets < ${GROWTH_MB_MAX}, < ${LATER_MB_MAX}), ${(tookMs / 1_000).toFixed(1)} s`,
      isRight(report) && growthMb < GROWTH_MB_MAX && laterMb < LATER_MB_MAX,
    )
  }
}

/** Imports a hostile file in a process of its own. */
export async function imported(file: HostileFile, dataDir: string, lines = LINES): Promise<HostileReport> {
  const main = fileURLToPath(new URL('hostile-main.ts', import.meta.url))
  const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MB}`, main, file, dataDir, `${lines}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return JSON.parse(await text(child.stdout)) as HostileReport
}
