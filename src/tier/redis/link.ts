import {
  isIoredis,
  isNodeRedisCluster,
  type CommandName,
  type CommandPart,
  type IoredisClient,
  type RedisClient,
  type ReplyTypes,
} from './client.ts'
import { redisFailure } from './failure.ts'

/** An answer of Redis: bulk strings come as Buffers. */
export type Reply = Buffer | number | string | null | readonly Reply[]

const AS_BUFFERS: { readonly typeMapping: ReplyTypes } = { typeMapping: { 36: Buffer } }
/** ioredis tells `close`, node-redis `reconnecting`; both `end`. */
const LOST_EVENTS = ['close', 'reconnecting', 'end'] as const
const READY_EVENT = 'ready'

/**
 * One connection of a client that was handed in, the same for both libraries. It never opens or closes it. Errors of the
 * connection are heard here, so that they end as the state of the tier and not the process.
 */
export class Link {
  /** Keys of one command must lie in one slot. */
  readonly isCluster: boolean
  readonly #client: RedisClient
  readonly #send: Send
  readonly #unlisten: (() => void)[] = []
  #heard: ((on: string, message: string) => void) | undefined
  readonly #onLost: (() => void)[] = []
  readonly #onReady: (() => void)[] = []
  /** Counts the losses of the connection: an answer may come from another server than the question went to. */
  #losses = 0

  constructor(client: RedisClient) {
    this.#client = client
    this.isCluster = isIoredis(client) ? client.isCluster : isNodeRedisCluster(client)
    this.#send = senderOf(client)
    this.#on('error', () => {})
    for (const event of LOST_EVENTS) {
      this.#on(event, () => {
        this.#losses++
        for (const listener of this.#onLost) listener()
      })
    }
    this.#on(READY_EVENT, () => this.#onReady.forEach((listener) => listener()))
  }

  get losses(): number {
    return this.#losses
  }

  /** Sends one command; `key` finds the node in a cluster. Errors: {@link redisFailure}'s. */
  async send(key: string, command: CommandName, args: CommandPart[]): Promise<Reply> {
    try {
      return (await this.#send(key, command, args)) as Reply
    } catch (error) {
      throw redisFailure(error)
    }
  }

  /** Hears when the connection was lost. */
  onLost(listener: () => void): void {
    this.#onLost.push(listener)
  }

  /** Hears when the connection can be used, again or for the first time. */
  onReady(listener: () => void): void {
    this.#onReady.push(listener)
  }

  /** Subscribes; once it resolves every message reaches the listener. Doing it again with the same listener is harmless. */
  async subscribe(channel: string, listener: (message: string) => void): Promise<void> {
    const client = this.#client
    if (!isIoredis(client)) return client.subscribe(channel, listener)
    if (!this.#heard) {
      this.#heard = (on: string, message: string): void => {
        if (on === channel) listener(message)
      }
      client.on('message', this.#heard)
      this.#unlisten.push(() => client.off('message', this.#heard as () => void))
    }
    await client.subscribe(channel)
  }

  /** Gives up a subscription; does not wait, for the connection may be down. */
  unsubscribe(channel: string): void {
    this.#client.unsubscribe(channel).catch(() => {})
  }

  /** Lets go of the client, which stays open. */
  release(): void {
    for (const unlisten of this.#unlisten.splice(0)) unlisten()
  }

  #on(event: string, listener: () => void): void {
    this.#client.on(event, listener)
    this.#unlisten.push(() => this.#client.off(event, listener))
  }
}

type Send = (key: string, command: CommandName, args: CommandPart[]) => Promise<unknown>

function senderOf(client: RedisClient): Send {
  if (isIoredis(client)) return (_, command, args) => sendByMethod(client as Required<IoredisClient>, command, args)
  if (isNodeRedisCluster(client)) {
    return (key, command, args) => client.sendCommand(key, false, [command, ...args], AS_BUFFERS)
  }
  return (_, command, args) => client.sendCommand([command, ...args], AS_BUFFERS)
}

function sendByMethod(
  client: Required<IoredisClient>,
  command: CommandName,
  args: readonly CommandPart[],
): Promise<unknown> {
  const [first, second, ...rest] = args as [string, string, ...CommandPart[]]
  switch (command) {
    case 'GET':
      return client.getBuffer(first)
    case 'MGET':
      return client.mgetBuffer(...args)
    case 'EVAL':
      return client.evalBuffer(first, second, ...rest)
    case 'EVALSHA':
      return client.evalshaBuffer(first, second, ...rest)
  }
}
