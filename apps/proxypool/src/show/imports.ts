import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Board } from './board.ts'
import type { HostileFile, HostileReport } from './hostile-main.ts'

const GROWTH_MB_MAX = 100

/** What hostile files do to the memory of the process that imports them, and what their report says. */
export async function hostileImports(folder: string, board: Board): Promise<void> {
  const files: readonly (readonly [HostileFile, (report: HostileReport) => boolean])[] = [
    ['a line of 10 MB', ({ loaded, failed, firstFailure }) => loaded === 1 && failed === 1 && firstFailure?.line === 1],
    ['64 MB of binary', ({ loaded, failed }) => loaded === 0 && failed > 0],
    ['1 000 000 lines', ({ loaded, failed, skipped }) => loaded === 5_000 && failed === 500_000 && skipped === 495_000],
  ]
  for (const [file, isRight] of files) {
    const report = await imported(file, join(folder, file.replaceAll(' ', '-')))
    const { loaded, skipped, failed, firstFailure, growthMb, tookMs } = report
    const first = firstFailure && `, first: line ${firstFailure.line}, ${firstFailure.reason.slice(0, 60)}`
    board.say(
      `import of ${file}`,
      `${loaded} loaded, ${skipped} skipped, ${failed} failed${first ?? ''}; ${growthMb} MB more memory at most (target < ${GROWTH_MB_MAX}), ${(tookMs / 1_000).toFixed(1)} s`,
      isRight(report) && growthMb < GROWTH_MB_MAX,
    )
  }
}

/** Imports a hostile file in a process of its own. */
export async function imported(file: HostileFile, dataDir: string): Promise<HostileReport> {
  const main = fileURLToPath(new URL('hostile-main.ts', import.meta.url))
  const child = spawn(process.execPath, [main, file, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(await text(child.stdout)) as HostileReport
}
