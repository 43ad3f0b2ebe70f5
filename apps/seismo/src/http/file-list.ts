import type { Context } from 'hono'
import type { ArtifactRow } from 'tidemark'
import type { EventFiles } from '../event-file/event-files.ts'
import { badParameter } from './failure.ts'

const LIMIT_MAX = 200

/** One line of the list of files. */
interface FileLine {
  readonly serial: string
  readonly filename: string
  readonly time: string
  readonly size: number
  readonly sha256: string
  readonly encoder_version: number
  readonly captured_at: string
  readonly peaks: unknown
  readonly project: unknown
  readonly review: unknown
}

/** A page of files by `serial`, `from`, `to`, `order`, `limit`, `after`; with what their sidecars say. */
export async function fileList(
  c: Context,
  store: EventFiles['store'],
): Promise<{ readonly files: readonly FileLine[]; readonly next: string | null }> {
  const { serial: folder, from, to, order, after, limit = '50' } = c.req.query()
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > LIMIT_MAX)
    throw badParameter('limit', `a whole number from 1 to ${LIMIT_MAX}`, limit)
  const page = await store.list({
    folder,
    from,
    to,
    order: order as 'newest' | 'oldest' | undefined,
    after,
    limit: Number(limit),
  })
  const files = await Promise.all(page.artifacts.map((row) => lineOf(store, row)))
  return { files, next: page.next ?? null }
}

async function lineOf(store: EventFiles['store'], row: ArtifactRow): Promise<FileLine> {
  const { folder, filename, time, size, sha256, encoderVersion, capturedAt } = row
  // One sidecar that cannot be read is told where it is asked for, and does not hide the others.
  const info = await store.info(folder, filename).catch(() => undefined)
  return {
    serial: folder,
    filename,
    time,
    size,
    sha256,
    encoder_version: encoderVersion,
    captured_at: new Date(capturedAt).toISOString(),
    peaks: info?.metadata['peaks'] ?? null,
    project: info?.metadata['project'] ?? null,
    review: info?.review ?? {},
  }
}
