// `tidemark/http`: readings as answers, for any framework with the web's Request and Response.

export { cacheHeaders, respond, type RespondOptions } from './respond.ts'
export { cacheStatus, type CacheStatusOptions } from './cache-status.ts'
export { isNotModified, wantsRefresh } from './conditions.ts'
export type { AnyReading, AnyRequest } from './reading.ts'
