/** Why an event file could not be made, named or read. */
export type EventFileErrorCode =
  /** The event, or a name, is outside of what a file name can say. */
  | 'event-file-name'
  /** The recording is none that the layout can hold. */
  | 'event-file-recording'
  /** The frames are not those of one whole recording. */
  | 'event-file-frames'
  /** The unit that recorded it is not the one that answers now, so nobody can say its serial. */
  | 'event-file-unit'
  /** The bytes are no event file. */
  | 'event-file-malformed'

/** The one error of event files. */
export class EventFileError extends Error {
  override readonly name = 'EventFileError'
  readonly code: EventFileErrorCode

  constructor(code: EventFileErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
