-- Notes a change that concerns several names before it is made in each: a name that is registered from now on hears of
-- it there.
-- KEYS[1] meta key of the registry
-- ARGV[1] slot; [2] epoch of the registry
-- Answers OK, sequence, the names…; or GONE
local life = load_life()
if not life or life.epoch ~= ARGV[2] then return { GONE } end
redis.call('DEL', base .. 'none')
life.seq = life.seq + 1
redis.call('ZADD', base .. 's', int(life.seq), ARGV[1])
if life.seq % 256 == 0 then trim(life) end
save(life)
local answer = { OK, life.seq }
for _, name in ipairs(redis.call('ZRANGE', base .. life.epoch .. ':x', 1, -1)) do
  answer[#answer + 1] = name
end
return answer
