-- One page of a name's entries, without their values. Writes nothing.
-- KEYS[1] meta key
-- ARGV[1] 'key', 'group' or 'name'; [2] the field, or the group; [3] where the last page ended, '' at first
--     [4] entries a page
-- Answers OK, where this page ended ('' when it was the last), then for each entry its field, the frame without the value,
-- and the length of the frame; or GONE
local life = load_life()
if not life then return { GONE } end
local data = base .. life.epoch .. ':'
local kind, what, after, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local fields, ended = {}, ''
if kind == 'key' then
  fields[1] = what
elseif kind == 'name' then
  local page = redis.call('ZSCAN', data .. 'i', after == '' and '0' or after, 'COUNT', limit)
  if page[1] ~= '0' then ended = page[1] end
  for at = 1, #page[2], 2 do
    fields[#fields + 1] = page[2][at]
  end
else
  local rows = rows_of(data, what, after, limit)
  if #rows == limit then ended = rows[limit] end
  for at, row in ipairs(rows) do
    fields[at] = field_of(what, row)
  end
end

local answer = { OK, ended }
for _, field in ipairs(fields) do
  local head = redis.call('GETRANGE', data .. field, 0, HEAD_BYTES - 1)
  if #head == HEAD_BYTES then
    local groups_bytes, extra_bytes = struct.unpack('>I4I4', head, 65)
    local rest = redis.call('GETRANGE', data .. field, HEAD_BYTES, HEAD_BYTES + groups_bytes + extra_bytes - 1)
    if groups_bytes + extra_bytes == 0 then rest = '' end
    answer[#answer + 1] = field
    answer[#answer + 1] = head .. rest
    answer[#answer + 1] = redis.call('STRLEN', data .. field)
  end
end
return answer
