-- Removes a damaged entry, unless it was replaced meanwhile.
-- KEYS[1] meta key
-- ARGV[1] deadline in ms of Redis's clock; [2] origin; [3] channel; [4] label; [5] field; [6] the frame's bytes 0 to 23
-- Answers OK, sequence; GONE; LATE, Redis's time
local now = server_ms()
if now > tonumber(ARGV[1]) then return { LATE, now } end
local life = load_life()
if not life then return { GONE } end
local key = base .. life.epoch .. ':' .. ARGV[5]
if redis.call('GETRANGE', key, 0, 23) == ARGV[6] then drop(life.epoch, { ARGV[5] }, 0) end
return { OK, life.seq }
