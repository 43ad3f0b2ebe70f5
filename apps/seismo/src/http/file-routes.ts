import { Hono, type Context } from 'hono'
import { isTidemarkError, type ArtifactFile, type ArtifactInfo } from 'tidemark'
import type { DeviceCache } from '../cache/device-cache.ts'
import type { Encoder } from '../encoding/encoder.ts'
import type { EventFiles } from '../event-file/event-files.ts'
import { problemOf } from '../event-file/review.ts'
import type { Permit } from '../fleet/permit.ts'
import { answerFor, refusalFor } from './conditional.ts'
import { RequestError, badParameter } from './failure.ts'
import { answering } from './file-failure.ts'
import { fileList } from './file-list.ts'
import { indexOf, unitOf } from './parameters.ts'

const FILE = '/:serial/:filename'

/** Everything under `/event-files`: what is kept of waveforms, whether or not their unit can be reached. */
export function fileRoutes(files: EventFiles, encoder: Encoder): Hono {
  const app = new Hono()
  const { store } = files

  app.get('/', (c) => answering(async () => c.json(await fileList(c, store))))

  app.get(`${FILE}/metadata`, (c) => answering(async () => c.json(bodyOf(await infoOf(c, files)))))

  app.get(`${FILE}/waveform`, (c) =>
    answering(() =>
      withFile(c, files, async (file) => {
        const refusal = refusalFor((name) => c.req.header(name), validatorsOf(file))
        if (refusal) return refused(c, refusal.status, file)
        const { metadata } = file
        const body = await encoder.encode({ make: 'body-of-file', of: await file.bytes(), metadata })
        return c.body(body, 200, { ...headersOf(file), 'Content-Type': 'application/json' })
      }),
    ),
  )

  app.patch(`${FILE}/review`, (c) =>
    answering(async () => {
      const review = await reviewOf(c)
      const { serial, filename } = nameOf(c)
      const info = await store.annotate(serial, filename, { review })
      if (!info) throw noSuchFile(serial, filename)
      return c.json(bodyOf(info))
    }),
  )

  app.post('/regenerate', (c) =>
    answering(async () => {
      const { serial: folder, filename, dry_run: dryRun = 'false' } = c.req.query()
      if (dryRun !== 'true' && dryRun !== 'false') throw badParameter('dry_run', 'true or false', dryRun)
      const { dryRun: isDry, ...report } = await store.regenerate({ folder, filename, dryRun: dryRun === 'true' })
      return c.json({ dry_run: isDry, ...report })
    }),
  )

  app.post('/verify', (c) => answering(async () => c.json(await store.verify({ folder: c.req.query('serial') }))))

  app.get(FILE, (c) => answering(() => withFile(c, files, (file) => download(c, file))))

  return app
}

/** `GET /device/event/:index/file`: the file of an event, made if it is not there yet. */
export function deviceFileRoute(cache: DeviceCache, files: EventFiles, permit: Permit): Hono {
  return new Hono().get('/event/:index/file', (c) =>
    answering(async () => {
      const [unit, index] = [unitOf(c, permit), indexOf(c)]
      const { value, tier } = await cache.waveforms.read([unit, index])
      const saved = await files.keep(unit, index, value, { isCached: tier !== 'source' })
      if (!saved)
        throw new RequestError({
          status: 404,
          code: 'no-event-file',
          message: `No file can be made of event ${index}: only waveforms have one.`,
        })
      return c.redirect(`/event-files/${saved.folder}/${saved.filename}`, 303)
    }),
  )
}

async function download(c: Context, file: ArtifactFile): Promise<Response> {
  const { method } = c.req
  const answer = answerFor({ method, header: (name) => c.req.header(name) }, { ...validatorsOf(file), size: file.size })
  if (answer.status === 304 || answer.status === 412) return refused(c, answer.status, file)
  if (answer.status === 416) {
    c.header('Content-Range', `bytes */${file.size}`)
    return failed(c, 416, 'no-such-range', `${file.filename} has ${file.size} bytes.`)
  }
  const { status, start, end } = answer
  const headers: Record<string, string> = { ...headersOf(file), 'Accept-Ranges': 'bytes' }
  headers['Content-Type'] = 'application/octet-stream'
  headers['Content-Disposition'] = `attachment; filename="${file.filename}"`
  headers['Content-Length'] = String(end - start)
  if (status === 206) headers['Content-Range'] = `bytes ${start}-${end - 1}/${file.size}`
  else headers['Repr-Digest'] = `sha-256=:${Buffer.from(file.sha256, 'hex').toString('base64')}:`
  return c.body(await file.stream({ start, end }), status, headers)
}

function refused(c: Context, status: 304 | 412, file: ArtifactFile): Response {
  if (status === 304) return c.body(null, 304, headersOf(file))
  return failed(c, 412, 'file-changed', `${file.filename} is not what was asked for.`)
}

function headersOf(file: ArtifactInfo): Record<string, string> {
  const { etag, modifiedAt } = validatorsOf(file)
  return {
    ETag: etag,
    'Last-Modified': new Date(modifiedAt).toUTCString(),
    'Cache-Control': 'private, no-cache',
  }
}

function failed(c: Context, status: 412 | 416, code: string, message: string): Response {
  return c.json({ error: { code, message } }, status)
}

/** Answers with the file a path names; once more when it was made anew between its opening and its reading. */
async function withFile(
  c: Context,
  files: EventFiles,
  answer: (file: ArtifactFile) => Promise<Response>,
): Promise<Response> {
  const { serial, filename } = nameOf(c)
  const attempt = async (): Promise<Response> => {
    const file = await files.store.open(serial, filename)
    if (!file) throw noSuchFile(serial, filename)
    return answer(file)
  }
  try {
    return await attempt()
  } catch (error) {
    if (!isTidemarkError(error, 'artifact-changed')) throw error
    return attempt()
  }
}

async function infoOf(c: Context, files: EventFiles): Promise<ArtifactInfo> {
  const { serial, filename } = nameOf(c)
  const info = await files.store.info(serial, filename)
  if (!info) throw noSuchFile(serial, filename)
  return info
}

function nameOf(c: Context): { readonly serial: string; readonly filename: string } {
  return { serial: c.req.param('serial') ?? '', filename: c.req.param('filename') ?? '' }
}

/** The sidecar's own words. */
function bodyOf(info: ArtifactInfo): Record<string, unknown> {
  const { folder, filename, time, size, sha256, encoderVersion, tool, metadata, review, extensions, source } = info
  return {
    serial: folder,
    filename,
    time,
    size,
    sha256,
    encoder_version: encoderVersion,
    encoded_at: new Date(info.encodedAt).toISOString(),
    captured_at: new Date(info.capturedAt).toISOString(),
    tool,
    source,
    ...metadata,
    review,
    extensions,
  }
}

async function reviewOf(c: Context): Promise<Record<string, unknown>> {
  const review: unknown = await c.req.json().catch(() => undefined)
  if (typeof review !== 'object' || review === null || Array.isArray(review))
    throw badParameter('body', 'a JSON object', undefined)
  const problem = problemOf(review as Record<string, unknown>)
  if (problem) throw badParameter(problem.field, problem.expected, JSON.stringify(problem.got))
  return review as Record<string, unknown>
}

/** What tells a file from the one that was there before. */
function validatorsOf({ sha256, encodedAt }: ArtifactInfo): { readonly etag: string; readonly modifiedAt: number } {
  return { etag: `"${sha256}"`, modifiedAt: encodedAt }
}

function noSuchFile(serial: string, filename: string): RequestError {
  return new RequestError({
    status: 404,
    code: 'no-such-file',
    message: `There is no file ${serial}/${filename}.`,
    hint: 'GET /event-files lists those that there are.',
  })
}
