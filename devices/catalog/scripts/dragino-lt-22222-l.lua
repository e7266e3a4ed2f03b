-- Dragino LT-22222-L and LT-33222-L, I/O controllers. Port 2, eleven bytes, big-endian:
--   eight bytes that depend on the work mode, inputs and outputs (1), reserved (1), hardware and work mode (1)
local FLAGS = {"AV1L", "AV1H", "AV2L", "AV2H", "AC1L", "AC1H", "AC2L", "AC2H"}

local function level(pins, mask) return pins & mask ~= 0 and "H" or "L" end
local function inverse(pins, mask) return pins & mask ~= 0 and "L" or "H" end
local function switch(pins, mask) return pins & mask ~= 0 and "ON" or "OFF" end
local function truth(byte, mask) return byte & mask ~= 0 and "True" or "False" end

local function thousandths(payload, position)
  return string.unpack(">i2", payload, position) / 1000
end

local MODES = {
  function(values, payload, pins)
    values.Work_mode = "2ACI+2AVI"
    values.AVI1_V, values.AVI2_V = thousandths(payload, 1), thousandths(payload, 3)
    values.ACI1_mA, values.ACI2_mA = thousandths(payload, 5), thousandths(payload, 7)
    values.DI1_status, values.DI2_status = level(pins, 0x08), level(pins, 0x10)
    if values.Hardware_mode == "LT33222" then
      values.DI3_status = level(pins, 0x20)
    end
  end,
  function(values, payload)
    values.Work_mode = "Count mode 1"
    values.Count1_times, values.Count2_times = string.unpack(">I4I4", payload)
  end,
  function(values, payload)
    values.Work_mode = "2ACI+1Count"
    values.Count1_times = string.unpack(">I4", payload)
    values.ACI1_mA, values.ACI2_mA = thousandths(payload, 5), thousandths(payload, 7)
  end,
  function(values, payload)
    values.Work_mode = "Count mode 2"
    values.Count1_times, values.Acount_times = string.unpack(">I4I4", payload)
  end,
  function(values, payload)
    values.Work_mode = "1ACI+2AVI+1Count"
    values.AVI1_V, values.AVI2_V, values.ACI1_mA = thousandths(payload, 1), thousandths(payload, 3), thousandths(payload, 5)
    values.Count1_times = string.unpack(">I2", payload, 7)
  end,
}

local function trigger_mode(values, payload)
  local flags, states, inputs = payload:byte(1, 3)
  values.Work_mode = "Exit mode"
  values.Mode_status = truth(payload:byte(10), 0xFF)
  for index, name in ipairs(FLAGS) do
    values[name .. "_flag"] = truth(flags, 0x80 >> index - 1)
    values[name .. "_status"] = truth(states, 0x80 >> index - 1)
  end
  values.DI2_status, values.DI2_flag = truth(inputs, 0x08), truth(inputs, 0x04)
  values.DI1_status, values.DI1_flag = truth(inputs, 0x02), truth(inputs, 0x01)
end

local function outputs(values, pins, mode)
  values.DO1_status, values.DO2_status = inverse(pins, 0x01), inverse(pins, 0x02)
  values.RO1_status, values.RO2_status = switch(pins, 0x80), switch(pins, 0x40)
  if mode > 1 then
    values.First_status = pins & 0x20 ~= 0 and "Yes" or "No"
  end
end

local function measurement(payload)
  local pins, kind = payload:byte(9), payload:byte(11) or error("a frame has eleven bytes")
  local hardware, mode = kind >> 6, kind & 0x3F
  local values = {Hardware_mode = hardware == 1 and "LT22222" or "LT33222"}
  if hardware == 0 then
    values.DO3_status = inverse(pins, 0x04)
  end
  if mode == 6 then
    trigger_mode(values, payload)
  else
    local fill = MODES[mode] or error("work mode " .. mode .. " is not known")
    outputs(values, pins, mode)
    fill(values, payload, pins)
  end
  return values
end

local function device_status(payload)
  local band, sub_band, version, period = string.unpack(">BBI2I3", payload)
  return {
    FREQUENCY_BAND = BANDS[band] or "unknown",
    SUB_BAND = sub_band == 0xFF and "NULL" or tostring(sub_band),
    FIRMWARE_VERSION = firmware(version),
    TDC = period,
  }
end

function decode(payload, topic, meta)
  if meta.port == 5 then
    return device_status(payload)
  end
  return measurement(payload)
end
