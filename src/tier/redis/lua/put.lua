-- Stores one entry: set explicitly, or under a lease.
-- KEYS[1] meta key
-- ARGV[1] deadline in ms of Redis's clock; [2] origin; [3] channel; [4] label
--     [5] field; [6] frame; [7] time to live in ms; [8] keepUntil; [9] slot of the key
--     [10] '' for an explicit set, or the epoch of the lease; [11] the sequence known to whoever holds the lease
--     [12] a stored entry that says it was loaded after this is not trusted; [13…] slots the lease must hold for
-- Answers OK, sequence; REFUSED, sequence; GONE; LATE, Redis's time; FULL
local now = server_ms()
if now > tonumber(ARGV[1]) then return { LATE, now } end
local life = load_life()
if not life then return { GONE } end
local data = base .. life.epoch .. ':'
local field, frame = ARGV[5], ARGV[6]
local is_set = ARGV[10] == ''

if not is_set then
  local known = tonumber(ARGV[11])
  if life.epoch ~= ARGV[10] or known > life.seq then return { GONE } end
  if known < life.floor then return { REFUSED, life.seq } end
  if known < life.seq then
    for at = 13, #ARGV do
      local changed = redis.call('ZSCORE', base .. 's', ARGV[at])
      if changed and tonumber(changed) > known then return { REFUSED, life.seq } end
    end
  end
  local stored = redis.call('GETRANGE', data .. field, 24, 31)
  if #stored == 8 then
    local loaded_at = struct.unpack('>d', stored)
    if loaded_at > struct.unpack('>d', frame, 25) and loaded_at <= tonumber(ARGV[12]) then
      return { REFUSED, life.seq }
    end
  end
end

local written = redis.pcall('SET', data .. field, frame, 'PX', ARGV[7])
if type(written) == 'table' and written.err then
  if not string.find(written.err, 'OOM', 1, true) then return redis.error_reply(written.err) end
  -- What was set is not here, but what it replaces must not be read any more.
  if is_set then
    drop(life.epoch, { field }, 0)
    change(life, ARGV[9], ARGV[2], ARGV[3], ARGV[4])
  end
  return { FULL, life.seq }
end

redis.call('ZADD', data .. 'i', ARGV[8], field)
local bytes = struct.unpack('>I4', frame, 65)
local block = string.sub(frame, HEAD_BYTES + 1, HEAD_BYTES + bytes)
local before = redis.call('HGET', data .. 'g', field) or ''
if block ~= before then
  leave_groups(data, field, before)
  for _, group in ipairs(split(block)) do
    redis.call('ZADD', data .. 'x', 0, group .. '\0' .. field)
  end
  if block == '' then redis.call('HDEL', data .. 'g', field) else redis.call('HSET', data .. 'g', field, block) end
end
if is_set then change(life, ARGV[9], ARGV[2], ARGV[3], ARGV[4]) end
return { OK, life.seq }
