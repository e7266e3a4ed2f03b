-- Dragino LDS02, door sensor (with the firmware of the LWL02 water leak sensor). Port 10, big-endian:
--   status and battery (2: door open, water leak, 14 bits of mV), mode (1), count (3), last duration (3, minutes), alarm (1)
local function door(values, status, count, duration, alarm)
  values.DOOR_OPEN_STATUS = status >> 15
  values.DOOR_OPEN_TIMES = count
  values.LAST_DOOR_OPEN_DURATION = duration
  values.ALARM = alarm & 1
end

local function leak(values, status, count, duration)
  values.WATER_LEAK_STATUS = status >> 14 & 1
  values.WATER_LEAK_TIMES = count
  values.LAST_WATER_LEAK_DURATION = duration
end

local function both(values, status, _, _, alarm)
  values.DOOR_OPEN_STATUS = status >> 15
  values.WATER_LEAK_STATUS = status >> 14 & 1
  values.ALARM = alarm & 1
end

local MODES = {door, leak, both}

function decode(payload, topic, meta)
  if meta.port and meta.port ~= 10 then
    error("port " .. meta.port .. " is not used by an LDS02")
  end
  local status, mode, count, duration, alarm = string.unpack(">I2BI3I3B", payload)
  local values = {Node_type = "LDS02", BAT_V = (status & 0x3FFF) / 1000, MOD = mode}
  local fill = MODES[mode]
  if fill then
    fill(values, status, count, duration, alarm)
  end
  return values
end
