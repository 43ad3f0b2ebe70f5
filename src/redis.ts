// `tidemark/redis`. The client is handed in, so nothing here loads one.

export { redis } from './tier/redis/redis.ts'
export type { RedisOptions } from './tier/redis/options.ts'
export type {
  CommandPart,
  IoredisClient,
  NodeRedisClient,
  NodeRedisCluster,
  RedisClient,
  RedisEvents,
  ReplyTypes,
} from './tier/redis/client.ts'
