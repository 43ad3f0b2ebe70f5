-- Gives a claim back, if it is still this owner's.
-- KEYS[1] meta key
-- ARGV[1] deadline in ms of Redis's clock; [2] origin; [3] channel; [4] label; [5] field; [6] owner
-- Answers OK, sequence; GONE; LATE, Redis's time
local now = server_ms()
if now > tonumber(ARGV[1]) then return { LATE, now } end
local life = load_life()
if not life then return { GONE } end
local claims = base .. life.epoch .. ':c'
local held = redis.call('HGET', claims, ARGV[5])
if held and string.match(held, '^%d+ (.*)$') == ARGV[6] then redis.call('HDEL', claims, ARGV[5]) end
return { OK, life.seq }
