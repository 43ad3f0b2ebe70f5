-- Every name that was ever used. Writes nothing.
-- KEYS[1] meta key of the registry
-- Answers OK, the names…; or GONE
local life = load_life()
if not life then return { GONE } end
local answer = { OK }
for _, name in ipairs(redis.call('ZRANGE', base .. life.epoch .. ':x', 1, -1)) do
  answer[#answer + 1] = name
end
return answer
