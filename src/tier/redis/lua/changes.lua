-- Tells what changed after a sequence. Writes nothing.
-- KEYS[1] meta key
-- ARGV[1] epoch; [2] sequence; [3] at most so many slots
-- Answers OK, sequence, 1 if the slots are all there are, slots…; or GONE when it is another life
local life = load_life()
local since = tonumber(ARGV[2])
-- A sequence ahead of ours comes from a server that went back to an older state.
if not life or life.epoch ~= ARGV[1] or since > life.seq then return { GONE } end
if since < life.floor then return { OK, life.seq, 0 } end
local slots = redis.call('ZRANGEBYSCORE', base .. 's', '(' .. ARGV[2], '(inf', 'LIMIT', 0, ARGV[3] + 1)
if #slots > tonumber(ARGV[3]) then return { OK, life.seq, 0 } end
local answer = { OK, life.seq, 1 }
for _, slot in ipairs(slots) do
  answer[#answer + 1] = tonumber(slot)
end
return answer
