-- Takes or renews the right to load a key.
-- KEYS[1] meta key
-- ARGV[1] deadline in ms of Redis's clock; [2] origin; [3] channel; [4] label
--     [5] field; [6] owner; [7] how long in ms; [8] slot of the key
-- Answers OK, sequence, 1 if the owner has it now, 1 if somebody else had let it run out; GONE; LATE, Redis's time
local now = server_ms()
if now > tonumber(ARGV[1]) then return { LATE, now } end
local life = load_life()
if not life then return { GONE } end
local claims = base .. life.epoch .. ':c'
-- So long it is remembered who held a claim that was never released.
local REMEMBERED_MS = 3600000

local held = redis.call('HGET', claims, ARGV[5])
local until_ms, owner
local taken_over = 0
if held then until_ms, owner = string.match(held, '^(%d+) (.*)$') end
if owner and owner ~= ARGV[6] then
  if tonumber(until_ms) > now then return { OK, life.seq, 0, 0 } end
  -- The holder may still come, late: the slot moves, so its lease no longer holds.
  change(life, ARGV[8], ARGV[2], ARGV[3], ARGV[4])
  taken_over = 1
end
redis.call('HSET', claims, ARGV[5], int(now + ARGV[7]) .. ' ' .. ARGV[6])
redis.call('PEXPIRE', claims, int(ARGV[7] + REMEMBERED_MS))
return { OK, life.seq, 1, taken_over }
