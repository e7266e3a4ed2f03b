-- Dragino LHT65N, temperature and humidity with an optional external sensor. Port 2, eleven bytes, big-endian:
--   battery (2: state, 14 bits of mV), temperature (2, 0.01 °C), humidity (2, 0.1 %), external sensor (1), its value (4)
-- The top bit of the external sensor's byte says that its cable is loose; the next one marks a frame of the data log.
local STATUS_PORT, SAMPLES_PORT = 5, 3
local MODELS = {[0x0B] = "LHT65N", [0x1A] = "LHT65N-PIR"}
local PROBES = {"ds18b20", "tmp117", "gxht30", "sht31"}

local function hundredths(payload, position)
  return string.unpack(">i2", payload, position) / 100
end

local function humidity(payload, position)
  return (string.unpack(">I2", payload, position) & 0xFFF) / 10
end

local function identity(...)
  return (("%02x"):rep(select("#", ...), " ")):format(...)
end

local function count(bytes)
  return function(values, payload)
    values.Work_mode = "Interrupt Sensor count"
    values.Exit_count = string.unpack(">I" .. bytes, payload, 8)
  end
end

local function stamped(name, probe)
  return function(values, payload)
    values.Work_mode = name .. " & timestamp"
    values[probe] = hundredths(payload, 1) -- the battery's place holds the probe here
    values.BatV, values.Bat_status = nil, payload:byte(5) >> 6
    values.Systimestamp = string.unpack(">I4", payload, 8)
  end
end

local EXTERNAL = {
  [0] = function(values)
    values.Ext_sensor = "No external sensor"
  end,
  [1] = function(values, payload)
    values.Ext_sensor, values.TempC_DS = "Temperature Sensor", hundredths(payload, 8)
  end,
  [2] = function(values, payload)
    values.Ext_sensor, values.TempC_TMP117 = "Temperature Sensor", hundredths(payload, 8)
  end,
  [4] = function(values, payload)
    values.Work_mode = "Interrupt Sensor send"
    values.Exti_pin_level = payload:byte(8) ~= 0 and "High" or "Low"
    values.Exti_status = payload:byte(9) ~= 0 and "True" or "False"
  end,
  [5] = function(values, payload)
    values.Work_mode, values.ILL_lx = "Illumination Sensor", string.unpack(">I2", payload, 8)
  end,
  [6] = function(values, payload)
    values.Work_mode, values.ADC_V = "ADC Sensor", string.unpack(">I2", payload, 8) / 1000
  end,
  [7] = count(2),
  [8] = count(4),
  [9] = stamped("DS18B20", "TempC_DS"),
  [10] = stamped("TMP117", "TempC_TMP117"),
  [11] = function(values, payload)
    values.Work_mode = "SHT31 Sensor"
    values.Ext_TempC_SHT, values.Ext_Hum_SHT = hundredths(payload, 8), humidity(payload, 10)
  end,
  [15] = function(values, payload)
    values.Work_mode = "DS18B20ID"
    values.ID = identity(payload:byte(3), payload:byte(4), payload:byte(5), payload:byte(6), payload:byte(8, 11))
    values.TempC_SHT, values.Hum_SHT = nil, nil -- the serial number stands in their place
  end,
}
local HAS_CABLE = {[4] = true, [5] = true, [6] = true, [7] = true, [8] = true}

local LOGGED = { -- what the first two bytes of an entry of the data log hold
  [1] = "TempC_DS", [2] = "TempC_TMP117", [5] = "ILL_lx", [6] = "ADC_V", [7] = "Exit_count", [8] = "Exit_count",
  [9] = "TempC_DS", [10] = "TempC_TMP117", [11] = "Ext_TempC_SHT",
}

local function logged(payload, start)
  local values = {TempC_SHT = hundredths(payload, start + 2), Hum_SHT = humidity(payload, start + 4)}
  local external = payload:byte(start + 6) & 15
  local name = LOGGED[external]
  if external == 4 then
    values.Exti_pin_level = payload:byte(start) ~= 0 and "High" or "Low"
    values.Exti_status = payload:byte(start + 1) ~= 0 and "True" or "False"
  elseif name == "ADC_V" then
    values.ADC_V = string.unpack(">I2", payload, start) / 1000
  elseif name == "ILL_lx" or name == "Exit_count" then
    values[name] = string.unpack(">I2", payload, start)
  elseif name then
    values[name] = hundredths(payload, start)
  end
  return values
end

local function data_log(payload) -- each entry becomes a report of its own time; one of zeros means: nothing logged
  local reports = {}
  for start = 1, #payload - 10, 11 do
    local seconds = string.unpack(">I4", payload, start + 7)
    if seconds > 0 then
      reports[#reports + 1] = {ts = seconds * 1000, values = logged(payload, start)}
    end
  end
  return reports
end

local function device_status(payload)
  local model, version, band, sub_band, battery = string.unpack(">BI2BBI2", payload)
  return {
    SENSOR_MODEL = MODELS[model] or ("0x%02X"):format(model),
    FIRMWARE_VERSION = firmware(version),
    FREQUENCY_BAND = BANDS[band] or "unknown",
    SUB_BAND = sub_band == 0xFF and "NULL" or tostring(sub_band),
    BAT = battery / 1000,
  }
end

local function several_samples(payload)
  local battery, probe = string.unpack(">I2B", payload)
  local temperatures = {}
  for position = 4, #payload - 1, 2 do
    temperatures[#temperatures + 1] = hundredths(payload, position)
  end
  return {bat = battery & 0x3FFF, sensor = PROBES[probe] or ("0x%02X"):format(probe), Temp = temperatures}
end

local function measurement(payload)
  local battery, flags = string.unpack(">I2", payload), payload:byte(7)
  local external = flags & 0x0F
  if flags & 0x40 ~= 0 or flags & 0x80 ~= 0 and not HAS_CABLE[external] then
    return data_log(payload)
  end
  local values = {BatV = (battery & 0x3FFF) / 1000, Bat_status = battery >> 14}
  values.TempC_SHT, values.Hum_SHT = hundredths(payload, 3), humidity(payload, 5)
  if flags & 0x80 ~= 0 then
    values.No_connect = "Sensor no connection"
  end
  local fill = EXTERNAL[external] or error(("external sensor %d is not known"):format(external))
  fill(values, payload)
  return values
end

function decode(payload, topic, meta)
  if meta.port == STATUS_PORT then
    return device_status(payload)
  elseif meta.port == SAMPLES_PORT and #payload ~= 11 then
    return several_samples(payload)
  end
  return measurement(payload)
end
