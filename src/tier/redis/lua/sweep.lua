-- Drops what is past its time or was cleared, and the bookkeeping of what Redis evicted by itself; one short slice.
-- KEYS[1] meta key
-- ARGV[1] deadline in ms of Redis's clock; [2] origin; [3] channel; [4] label
--     [5] now by the host's clock; [6] entries to drop at most; [7] where the walk for evicted entries stands
-- Answers OK, sequence, entries dropped past their time, entries of cleared names, entries Redis had evicted, where the
-- walk stands, Redis's time; GONE; LATE, Redis's time
local now = server_ms()
if now > tonumber(ARGV[1]) then return { LATE, now } end
local life = load_life()
if not life then return { GONE } end
local limit = tonumber(ARGV[6])
local LOOKED_AT = 20

local cleared = 0
local epoch = redis.call('SRANDMEMBER', base .. 'd')
if epoch then
  local data = base .. epoch .. ':'
  local popped = redis.call('ZPOPMIN', data .. 'i', limit)
  for at = 1, #popped, 2 do
    if popped[at] ~= '' then cleared = cleared + redis.call('UNLINK', data .. popped[at]) end
  end
  -- The row that was there from the start is the last one.
  if #popped < limit * 2 or popped[#popped - 1] == '' then
    redis.call('UNLINK', data .. 'i', data .. 'g', data .. 'x', data .. 'c')
    redis.call('SREM', base .. 'd', epoch)
  end
end

local data = base .. life.epoch .. ':'
local past = redis.call('ZRANGEBYSCORE', data .. 'i', '-inf', ARGV[5], 'LIMIT', 0, limit - cleared)
for at = 1, #past, DROPPED_AT_ONCE do
  drop(life.epoch, { unpack(past, at, math.min(at + DROPPED_AT_ONCE - 1, #past)) }, 0)
end

local walk = redis.call('ZSCAN', data .. 'i', ARGV[7], 'COUNT', LOOKED_AT)
local evicted = {}
for at = 1, #walk[2], 2 do
  local field, keep_until = walk[2][at], tonumber(walk[2][at + 1])
  -- What is past its time is met above.
  if field ~= '' and keep_until > tonumber(ARGV[5]) and redis.call('EXISTS', data .. field) == 0 then
    evicted[#evicted + 1] = field
  end
end
drop(life.epoch, evicted, 0)
return { OK, life.seq, #past, cleared, #evicted, walk[1], now }
