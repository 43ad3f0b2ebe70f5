-- Makes a name known to whoever removes by scope, era or tag. Its rows of x are the names.
-- KEYS[1] meta key of the registry
-- ARGV[1] epoch of the registry; [2] the name
-- Answers OK, sequence, 1 if the name was new; or GONE
local life = load_life()
if not life or life.epoch ~= ARGV[1] then return { GONE } end
redis.call('DEL', base .. 'none')
return { OK, life.seq, redis.call('ZADD', base .. life.epoch .. ':x', 'NX', 0, ARGV[2]) }
