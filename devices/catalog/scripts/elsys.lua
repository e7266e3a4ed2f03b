-- Elsys: one protocol for all of their LoRaWAN sensors. A frame is a row of measurements, each a type and its value,
-- big-endian (but the position). A type that is not known ends in an error: its length is not known either.
local function one(name, format, divisor)
  local size = string.packsize(format)
  return function(values, payload, position)
    local number = string.unpack(format, payload, position)
    values[name] = divisor and number / divisor or number
    return position + size
  end
end

local function several(format, names, divisor)
  local size = string.packsize(format)
  return function(values, payload, position)
    local numbers = {string.unpack(format, payload, position)}
    for index, name in ipairs(names) do
      values[name] = divisor and numbers[index] / divisor or numbers[index]
    end
    return position + size
  end
end

local function grid_eye(values, payload, position) -- 64 pixels, each in tenths above a reference
  local reference, pixels = payload:byte(position), {}
  if #payload < position + 64 then
    error("the grid of 64 temperatures is cut off")
  end
  for index = 1, 64 do
    pixels[index] = reference + payload:byte(position + index) / 10
  end
  values.grideye = pixels
  return position + 65
end

local function external_temperature_2(values, payload, position) -- may come several times in a frame
  local temperature, before = string.unpack(">i2", payload, position) / 10, values.externalTemperature2
  if type(before) == "table" then
    before[#before + 1] = temperature
  elseif before then
    values.externalTemperature2 = {before, temperature}
  else
    values.externalTemperature2 = temperature
  end
  return position + 2
end

local TYPES = {
  [0x01] = one("temperature", ">i2", 10),
  [0x02] = one("humidity", "B"),
  [0x03] = several("bbb", {"x", "y", "z"}),
  [0x04] = one("light", ">I2"),
  [0x05] = one("motion", "B"),
  [0x06] = one("co2", ">I2"),
  [0x07] = one("vdd", ">I2"),
  [0x08] = one("analog1", ">I2"),
  [0x09] = several("<i3i3", {"lat", "long"}, 10000),
  [0x0A] = one("pulse1", ">I2"),
  [0x0B] = one("pulseAbs", ">I4"),
  [0x0C] = one("externalTemperature", ">i2", 10),
  [0x0D] = one("digital", "B"),
  [0x0E] = one("distance", ">I2"),
  [0x0F] = one("accMotion", "B"),
  [0x10] = several(">i2i2", {"irInternalTemperature", "irExternalTemperature"}, 10),
  [0x11] = one("occupancy", "B"),
  [0x12] = one("waterleak", "B"),
  [0x13] = grid_eye,
  [0x14] = one("pressure", ">i4", 1000),
  [0x15] = several("BB", {"soundPeak", "soundAvg"}),
  [0x16] = one("pulse2", ">I2"),
  [0x17] = one("pulseAbs2", ">I4"),
  [0x18] = one("analog2", ">I2"),
  [0x19] = external_temperature_2,
  [0x1A] = one("digital2", "B"),
  [0x1B] = one("analogUv", ">i4"),
  [0x1C] = one("tvoc", ">I2"),
  [0x3D] = one("debug", ">I4"),
}

function decode(payload)
  local values, position = {}, 1
  while position <= #payload do
    local kind = payload:byte(position)
    local read = TYPES[kind] or error(("type 0x%02X at byte %d is not known"):format(kind, position))
    position = read(values, payload, position + 1)
  end
  return values
end
