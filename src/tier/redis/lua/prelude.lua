-- Goes before every script here. Redis 6.2 and later, Valkey.
--
-- KEYS[1] is the meta key of one name, `{prefix:name}:m`. All other keys are made from it and carry the same hash tag,
-- so they lie in the same slot of a cluster:
--   m          "epoch sequence floor registry run": the name's life, see below
--   s          sorted set: slot -> sequence of the last change that touched it; slots changed at or before `floor` are forgotten
--   d          set: epochs that were cleared and are not swept yet
--   EPOCH:k…   one entry as a frame (frame.ts), with a time to live; EPOCH:h… when its key is long
--   EPOCH:i    sorted set: field (the k… or h…) -> keepUntil by the hosts' clock
--   EPOCH:g    hash: field -> the groups the entry lies in, each as a 4-byte length and a text
--   EPOCH:x    sorted set of score 0: group NUL field, so that a group is one range
--   EPOCH:c    hash: field -> "until owner" of a claim, until by Redis's clock
--
-- A life is what a lease holds in: it ends when the name is cleared, when any of its bookkeeping is lost (flushed,
-- evicted), when the registry of names is another one, and when the server was restarted, since it may have come back
-- from a snapshot that has forgotten removals. Each of m, s, i, g and x has a row from the start, so a loss shows.
--
-- Every script answers with an array that begins with one of these.
local OK, REFUSED, GONE, LATE, FULL = 0, 1, 2, 3, 4

local SLOTS_KEPT = 8192
local HEAD_BYTES = 72
local DROPPED_AT_ONCE = 500

local base = string.sub(KEYS[1], 1, -2)

local function int(number)
  return string.format('%.0f', number)
end

local function server_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function is_whole(epoch)
  local data = base .. epoch .. ':'
  return redis.call('EXISTS', base .. 's', data .. 'i', data .. 'g', data .. 'x') == 4
end

-- The life of the name, or nil when there is none any more.
local function load_life()
  local meta = redis.call('GET', KEYS[1])
  if not meta then return nil end
  local epoch, seq, floor, registry, run = string.match(meta, '^(%S+) (%d+) (%d+) (%S+) (%S+)$')
  if not epoch or not is_whole(epoch) then return nil end
  return { epoch = epoch, seq = tonumber(seq), floor = tonumber(floor), registry = registry, run = run }
end

local function save(life)
  redis.call('SET', KEYS[1], table.concat({ life.epoch, int(life.seq), int(life.floor), life.registry, life.run }, ' '))
end

-- The first rows of a life's bookkeeping.
local function start_data(epoch)
  local data = base .. epoch .. ':'
  redis.call('ZADD', data .. 'i', 'inf', '')
  redis.call('HSET', data .. 'g', '', '')
  redis.call('ZADD', data .. 'x', 0, '')
end

local function trim(life)
  local over = redis.call('ZCARD', base .. 's') - 1 - SLOTS_KEPT
  if over <= 0 then return end
  life.floor = tonumber(redis.call('ZRANGE', base .. 's', over - 1, over - 1, 'WITHSCORES')[2])
  redis.call('ZREMRANGEBYRANK', base .. 's', 0, over - 1)
end

-- Advances the change sequence: this slot changed. Tells whoever listens.
local function change(life, slot, origin, channel, label)
  life.seq = life.seq + 1
  redis.call('ZADD', base .. 's', int(life.seq), slot)
  if life.seq % 256 == 0 then trim(life) end
  save(life)
  redis.call('PUBLISH', channel, table.concat({ '1', origin, life.epoch, int(life.seq), slot, label }, ' '))
end

local function split(block)
  local groups, at = {}, 1
  while at <= #block do
    groups[#groups + 1], at = struct.unpack('>I4c0', block, at)
  end
  return groups
end

local function leave_groups(data, field, block)
  for _, group in ipairs(split(block)) do
    redis.call('ZREM', data .. 'x', group .. '\0' .. field)
  end
end

-- Takes entries out everywhere, at most DROPPED_AT_ONCE: a call for all of them costs a quarter of a call for each.
-- Returns how many were there, of those that were not past their time at `now`.
local function drop(epoch, fields, now)
  if #fields == 0 then return 0 end
  local data = base .. epoch .. ':'
  local scores = redis.call('ZMSCORE', data .. 'i', unpack(fields))
  local blocks = redis.call('HMGET', data .. 'g', unpack(fields))
  local live, past, rows = {}, {}, {}
  for at, field in ipairs(fields) do
    local is_live = scores[at] and tonumber(scores[at]) > now
    local keys = is_live and live or past
    keys[#keys + 1] = data .. field
    if blocks[at] then
      for _, group in ipairs(split(blocks[at])) do
        rows[#rows + 1] = group .. '\0' .. field
      end
    end
  end
  if #past > 0 then redis.call('UNLINK', unpack(past)) end
  local count = #live > 0 and redis.call('UNLINK', unpack(live)) or 0
  redis.call('ZREM', data .. 'i', unpack(fields))
  if #rows > 0 then redis.call('HDEL', data .. 'g', unpack(fields)) end
  -- An entry may lie in many groups.
  for at = 1, #rows, DROPPED_AT_ONCE do
    redis.call('ZREM', data .. 'x', unpack(rows, at, math.min(at + DROPPED_AT_ONCE - 1, #rows)))
  end
  return count
end

-- The range of a group's rows in x, after a row already seen or from the start.
local function rows_of(data, group, after, limit)
  local from = after == '' and '[' .. group .. '\0' or '(' .. after
  return redis.call('ZRANGEBYLEX', data .. 'x', from, '(' .. group .. '\1', 'LIMIT', 0, limit)
end

local function field_of(group, row)
  return string.sub(row, #group + 2)
end
