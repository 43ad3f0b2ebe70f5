-- Finds the life of a name, or begins one. Also used for the registry of names, whose registry is '-'.
-- KEYS[1] meta key
-- ARGV[1] registry the name belongs to; [2] epoch of the life if one has to be begun
-- Answers OK, sequence, 1 if it was begun now, epoch
local info = redis.pcall('INFO', 'server')
-- A user who may not ask for it gets no protection against a restart from an old snapshot.
local run = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or '-'

local life = load_life()
if life and life.registry == ARGV[1] and life.run == run then
  return { OK, life.seq, 0, life.epoch }
end
-- Redis that is full refuses a script's first write, unless it frees memory: this one may.
redis.call('DEL', base .. 's')
local before = redis.call('GET', KEYS[1])
if before then redis.call('SADD', base .. 'd', string.match(before, '^%S*')) end
redis.call('ZADD', base .. 's', 'inf', '')
start_data(ARGV[2])
save({ epoch = ARGV[2], seq = 0, floor = 0, registry = ARGV[1], run = run })
return { OK, 0, 1, ARGV[2] }
