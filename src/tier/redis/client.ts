// What is asked of a client: the documented methods of ioredis and node-redis that are called here, and no more. A type
// test holds them against both packages.

/** One part of a command. */
export type CommandPart = string | Buffer

/** The commands this tier sends; the scripts send the others. */
export type CommandName = 'GET' | 'MGET' | 'EVAL' | 'EVALSHA'

/** What both libraries tell by events of their connection. */
export interface RedisEvents {
  on(event: string, listener: (...args: string[]) => void): unknown
  off(event: string, listener: (...args: string[]) => void): unknown
}

/** `new Redis(…)` or `new Cluster(…)` of ioredis. Not its `callBuffer`, which loses the command when commands are gathered. */
export interface IoredisClient extends RedisEvents {
  getBuffer(key: CommandPart): Promise<unknown>
  mgetBuffer(...keys: CommandPart[]): Promise<unknown>
  // Every command has a method that answers with Buffers; ioredis's types leave out these two.
  evalBuffer?(script: string, keys: string, ...args: CommandPart[]): Promise<unknown>
  evalshaBuffer?(hash: string, keys: string, ...args: CommandPart[]): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  unsubscribe(channel: string): Promise<unknown>
  readonly isCluster: boolean
}

/** `createClient(…)` of node-redis. */
export interface NodeRedisClient extends RedisEvents {
  sendCommand(command: readonly CommandPart[], options?: { readonly typeMapping?: ReplyTypes }): Promise<unknown>
  subscribe(channel: string, listener: (message: string, channel: string) => unknown): Promise<void>
  unsubscribe(channel: string): Promise<void>
  readonly isReady: boolean
}

/** `createCluster(…)` of node-redis. */
export interface NodeRedisCluster extends RedisEvents {
  sendCommand(
    firstKey: string,
    isReadonly: boolean,
    command: CommandPart[],
    options?: { readonly typeMapping?: ReplyTypes },
  ): Promise<unknown>
  subscribe(channel: string, listener: (message: string, channel: string) => unknown): Promise<void>
  unsubscribe(channel: string): Promise<void>
  readonly masters: readonly unknown[]
}

/** How node-redis is told that a bulk string (whose RESP type is `$`, 36) shall come as a Buffer. */
export interface ReplyTypes {
  readonly 36: BufferConstructor
}

/** Any client {@link redis} takes. */
export type RedisClient = IoredisClient | NodeRedisClient | NodeRedisCluster

/** True for a client of ioredis. */
export function isIoredis(client: RedisClient): client is IoredisClient {
  return 'evalshaBuffer' in client && typeof client.evalshaBuffer === 'function'
}

/** True for a cluster client of node-redis. */
export function isNodeRedisCluster(client: RedisClient): client is NodeRedisCluster {
  return !isIoredis(client) && 'masters' in client
}

/** True for anything that looks like a client this tier can use. */
export function isRedisClient(value: unknown): value is RedisClient {
  if (typeof value !== 'object' || value === null) return false
  const has = (method: string): boolean => typeof (value as Record<string, unknown>)[method] === 'function'
  return (
    (has('evalshaBuffer') || has('sendCommand')) && has('subscribe') && has('unsubscribe') && has('on') && has('off')
  )
}
