-- Dragino LDDS75, ultrasonic distance sensor. Port 2, big-endian:
--   battery (2, mV in the low 14 bits), distance (2, mm), interrupt (1), DS18B20 (2, 0.1 °C), sensor found (1)
-- Early firmware sends only the first four or five bytes.
function decode(payload, topic, meta)
  if meta.port and meta.port ~= 2 then
    error("port " .. meta.port .. " is not used by an LDDS75")
  end
  local battery, distance = string.unpack(">I2I2", payload)
  local values = {Bat = (battery & 0x3FFF) / 1000, Distance = distance}
  if #payload >= 5 then
    values.Interrupt_flag = payload:byte(5)
  end
  if #payload >= 7 then
    values.TempC_DS18B20 = ("%.2f"):format(string.unpack(">i2", payload, 6) / 10) -- a text, as the maker has it
  end
  if #payload >= 8 then
    values.Sensor_flag = payload:byte(8)
  end
  return values
end
