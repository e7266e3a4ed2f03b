
-- EM500-PT100: industrial temperature.
local ALARMS = {[0] = "threshold alarm", "threshold alarm release", "mutation alarm"}
local RATES = {[0] = "0.01", "0.1", "1", "10", "100", "1000"}
local D2D_MODES = {"threshold_alarm", "threshold_alarm_release", "mutation_alarm"}

local function temperature_alarm(values, payload, position)
  local temperature, change, alarm = string.unpack("<i2i2B", payload, position)
  values.temperature, values.temperature_mutation = temperature / 10, change / 10
  values.temperature_alarm = ALARMS[alarm] or "unknown"
  return position + 5
end

CHANNELS = {
  [0x0175] = whole("battery", "B"),
  [0x0367] = whole("temperature", "<i2", 10),
  [0x83D7] = temperature_alarm,
  [0x20CE] = history("<I4i2", function(seconds, temperature)
    return {timestamp = seconds, temperature = temperature / 10}
  end),
}
OWN_ANSWERS = {
  [0x1B] = function(values, payload, position)
    local rate, high, low = string.unpack("<Bi2i2", payload, position)
    values.measuring_equipment = {rate = RATES[rate & 7] or "unknown", range_max = high, range_min = low}
    return position + 5
  end,
  [0x1C] = function(values, payload, position)
    local counts, interval = string.unpack("BB", payload, position)
    values.recollection_config = {counts = counts, interval = interval}
    return position + 2
  end,
  [0x96] = function(values, payload, position)
    local mode, enable, uplink, low, high = string.unpack("BBBBB", payload, position)
    values.d2d_master_config = values.d2d_master_config or {}
    table.insert(values.d2d_master_config, {
      mode = D2D_MODES[mode] or "unknown",
      enable = SWITCH[enable] or "unknown",
      lora_uplink_enable = SWITCH[uplink] or "unknown",
      d2d_cmd = ("%02x%02x"):format(high, low),
    })
    return position + 8
  end,
  [0xF1] = function(values, payload, position)
    local enable, amount = string.unpack("<Bi2", payload, position + 1)
    values.temperature_calibration_settings = {enable = SWITCH[enable] or "unknown", calibration_value = amount / 10}
    return position + 4
  end,
}
