-- Removes one entry, a group or the whole name; or marks it stale. All of it or nothing.
-- KEYS[1] meta key
-- ARGV[1] deadline in ms of Redis's clock; [2] origin; [3] channel; [4] label
--     [5] slot; [6] 'key', 'group' or 'name'; [7] the field, or the group; [8] now by the host's clock
--     [9] '' to remove, or the time from which it is stale; [10] epoch of the life that begins when the name is cleared
-- Answers OK, sequence, how many entries it touched, epoch; GONE; LATE, Redis's time
local now = server_ms()
if now > tonumber(ARGV[1]) then return { LATE, now } end
local life = load_life()
if not life then return { GONE } end
local data = base .. life.epoch .. ':'
local kind, what, host_now, stale_at = ARGV[6], ARGV[7], tonumber(ARGV[8]), tonumber(ARGV[9])
-- An invalidation of more than this by name clears it instead: marking would hold up Redis.
local MARKED_MAX = 10000

-- Whoever loads what is removed loads in vain, so nobody should wait for it; a claim too many released costs a load. And
-- Redis that is full refuses a script's first write, unless it frees memory: this one does.
if kind == 'key' then redis.call('HDEL', data .. 'c', what) else redis.call('UNLINK', data .. 'c') end

-- Marks one entry; one that cannot be kept goes into `gone`. Returns 1 if it changed it.
local function mark(field, gone)
  local head = redis.call('GETRANGE', data .. field, 0, HEAD_BYTES - 1)
  if #head < HEAD_BYTES or string.sub(head, 1, 3) ~= 'TM\1' then
    gone[#gone + 1] = field
    return 0
  end
  local marked_at = struct.unpack('>d', head, 5)
  local _, fresh_until, _, _, keep_ms = struct.unpack('>ddddd', head, 25)
  if fresh_until <= stale_at or (marked_at ~= 0 and marked_at <= stale_at) then return 0 end
  local left_ms = stale_at + keep_ms - host_now
  if left_ms <= 0 then
    gone[#gone + 1] = field
    return 0
  end
  redis.call('SETRANGE', data .. field, 4, struct.pack('>dd', stale_at, stale_at))
  redis.call('PEXPIRE', data .. field, int(left_ms))
  redis.call('ZADD', data .. 'i', int(stale_at + keep_ms), field)
  return 1
end

local function touch(fields)
  if not stale_at then return drop(life.epoch, fields, host_now) end
  local count, gone = 0, {}
  for _, field in ipairs(fields) do
    count = count + mark(field, gone)
  end
  return count + drop(life.epoch, gone, host_now)
end

local count = 0
if kind == 'name' and not (stale_at and redis.call('ZCARD', data .. 'i') <= MARKED_MAX) then
  -- Constant time however many entries there are: they are dead from now on and are swept later.
  count = redis.call('ZCOUNT', data .. 'i', '(' .. ARGV[8], '(inf')
  redis.call('SADD', base .. 'd', life.epoch)
  life.epoch = ARGV[10]
  start_data(life.epoch)
else
  local fields
  if kind == 'key' then
    fields = { what }
  elseif kind == 'group' then
    fields = rows_of(data, what, '', -1)
    for at, row in ipairs(fields) do
      fields[at] = field_of(what, row)
    end
  else
    fields = redis.call('ZRANGEBYSCORE', data .. 'i', '(' .. ARGV[8], '(inf')
  end
  for at = 1, #fields, DROPPED_AT_ONCE do
    count = count + touch({ unpack(fields, at, math.min(at + DROPPED_AT_ONCE - 1, #fields)) })
  end
end
change(life, ARGV[5], ARGV[2], ARGV[3], ARGV[4])
return { OK, life.seq, count, life.epoch }
