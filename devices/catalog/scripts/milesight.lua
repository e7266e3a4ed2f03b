-- Milesight's LoRaWAN sensors: a frame is a row of channels, each an id, a type and a value, little-endian.
-- What a model measures stands in CHANNELS; what all of them say about themselves, and how they answer settings, is here.
local function whole(name, format, divisor)
  local size = string.packsize(format)
  return function(values, payload, position)
    local number = string.unpack(format, payload, position)
    values[name] = divisor and number / divisor or number
    return position + size
  end
end

local function choice(name, words)
  return function(values, payload, position)
    values[name] = words[payload:byte(position) or error("the frame is cut off")] or "unknown"
    return position + 1
  end
end

local function done(name, word) -- the value says nothing more than that it happened
  return function(values, _, position)
    values[name] = word
    return position + 1
  end
end

local function text(name, size, show)
  return function(values, payload, position)
    if #payload < position + size - 1 then
      error("the frame is cut off")
    end
    values[name] = show(payload:byte(position, position + size - 1))
    return position + size
  end
end

local function bytes_as_hex(...)
  return (("%02x"):rep(select("#", ...))):format(...)
end

local SWITCH = {[0] = "disable", "enable"}
local CONDITIONS = {[0] = "disable", "below", "above", "between", "outside", "mutation"}
local D2D_MODES = {[0] = "disable", "temperature_alarm", "temperature_alarm_release", "leakage_alarm", "leakage_alarm_release"}
local REPORTS = {[0] = "lora", "d2d", [3] = "d2d_and_lora"}

local function interval_of_retries(values, payload, position)
  local kind, seconds = string.unpack("<BI2", payload, position)
  values[kind == 0 and "retransmit_interval" or "resend_interval"] = seconds
  return position + 3
end

local function calibration(values, payload, position)
  local flags, amount = string.unpack("<Bi2", payload, position)
  local humid = flags & 3 == 1
  values[humid and "humidity_calibration_settings" or "temperature_calibration_settings"] = {
    enable = SWITCH[flags >> 7],
    calibration_value = amount / (humid and 2 or 10),
  }
  return position + 3
end

local function alarm_settings(values, payload, position)
  local flags, low, high, interval, times = string.unpack("<Bi2i2I2I2", payload, position)
  local subject, condition = flags >> 3 & 7, flags & 7
  if subject == 1 then
    local enable = OWN_ANSWERS and SWITCH[flags >> 6 & 1] -- only the EM500 has this bit
    values.temperature_alarm_config = {
      enable = enable, condition = CONDITIONS[condition] or "unknown", threshold_min = low / 10, threshold_max = high / 10,
    }
  elseif subject == 2 and SECOND_ALARM == "leakage" then
    values.leakage_alarm_config = {enable = SWITCH[condition] or "unknown", report_interval = interval, report_times = times}
  elseif subject == 2 then
    values.temperature_mutation_alarm_config = {enable = SWITCH[flags >> 6 & 1], mutation = high / 10}
  end
  return position + 9
end

local function direct_command(values, payload, position)
  local mode, report, low, high = string.unpack("BBBB", payload, position)
  values.d2d_master_config = values.d2d_master_config or {}
  table.insert(values.d2d_master_config, {
    mode = D2D_MODES[mode] or "unknown", report_type = REPORTS[report] or "unknown", d2d_cmd = ("%02x%02x"):format(high, low),
  })
  return position + 6
end

local function time_zone(values, payload, position)
  local tenths = string.unpack("<i2", payload, position)
  values.time_zone = ("UTC%+g"):format(tenths / 10)
  return position + 2
end

local ABOUT = { -- id 0xFF: the device tells of itself
  [0x01] = text("ipso_version", 1, function(version) return ("v%d.%d"):format(version >> 4, version & 15) end),
  [0x09] = text("hardware_version", 2, function(major, minor) return ("v%x.%d"):format(major, minor >> 4) end),
  [0x0A] = text("firmware_version", 2, function(major, minor) return ("v%x.%x"):format(major, minor) end),
  [0x0B] = done("device_status", "on"),
  [0x0F] = choice("lorawan_class", {[0] = "Class A", "Class B", "Class C", "Class CtoB"}),
  [0x16] = text("sn", 8, bytes_as_hex),
  [0xFE] = done("reset_event", "reset"),
  [0xFF] = text("tsl_version", 2, function(major, minor) return ("v%d.%d"):format(major, minor) end),
}
local ANSWERS = { -- id 0xFE or 0xFF: the device repeats a setting that it was sent
  [0x02] = whole("collection_interval", "<I2"),
  [0x03] = whole("report_interval", "<I2"),
  [0x06] = alarm_settings,
  [0x10] = done("reboot", "yes"),
  [0x11] = whole("timestamp", "<I4"),
  [0x17] = time_zone,
  [0x27] = done("clear_history", "yes"),
  [0x28] = done("report_status", "yes"),
  [0x35] = text("d2d_key", 8, bytes_as_hex),
  [0x3B] = choice("time_sync_enable", SWITCH),
  [0x4A] = done("sync_time", "yes"),
  [0x68] = choice("history_enable", SWITCH),
  [0x69] = choice("retransmit_enable", SWITCH),
  [0x6A] = interval_of_retries,
  [0x6D] = done("stop_transmit", "yes"),
  [0x79] = direct_command,
  [0x84] = choice("d2d_enable", SWITCH),
  [0xEA] = calibration,
  [0xF2] = whole("alarm_report_counts", "<I2"),
  [0xF5] = choice("alarm_release_enable", SWITCH),
}

local function reader_of(id, kind)
  if id == 0xFF and ABOUT[kind] then
    return ABOUT[kind]
  elseif id >= 0xFE then
    return ANSWERS[kind] or OWN_ANSWERS and OWN_ANSWERS[kind]
  end
  return CHANNELS[id << 8 | kind]
end

local function history(format, fill) -- entries that the device kept while it had no network
  local size = string.packsize(format)
  return function(values, payload, position)
    values.history = values.history or {}
    table.insert(values.history, fill(string.unpack(format, payload, position)))
    return position + size
  end
end

function decode(payload)
  local values, position = {}, 1
  while position < #payload do
    local id, kind = payload:byte(position, position + 1)
    local read = reader_of(id, kind) or error(("channel 0x%02X of type 0x%02X at byte %d is not known"):format(id, kind, position))
    position = read(values, payload, position + 2)
  end
  if position == #payload then
    error("one byte is left over")
  end
  return values
end
