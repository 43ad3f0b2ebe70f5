-- Counts a name's entries, a slice at a time. Writes nothing.
-- KEYS[1] meta key
-- ARGV[1] group, or '' for the whole name; [2] where the last slice ended, '' at first; [3] entries a slice; [4] now
-- Answers OK, entries, where this slice ended ('' when it was the last); or GONE
local life = load_life()
if not life then return { GONE } end
local data = base .. life.epoch .. ':'
local group, limit, now = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4])
if group == '' then return { OK, redis.call('ZCOUNT', data .. 'i', '(' .. ARGV[4], '(inf'), '' } end
local rows = rows_of(data, group, ARGV[2], limit)
local count = 0
for _, row in ipairs(rows) do
  local keep_until = redis.call('ZSCORE', data .. 'i', field_of(group, row))
  if keep_until and tonumber(keep_until) > now then count = count + 1 end
end
return { OK, count, #rows == limit and rows[limit] or '' }
