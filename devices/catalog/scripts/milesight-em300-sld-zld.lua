
-- EM300-SLD and EM300-ZLD: temperature, humidity, and a leak at a spot or in a zone.
local LEAKAGE = {[0] = "normal", "leak"}
SECOND_ALARM = "leakage"
CHANNELS = {
  [0x0175] = whole("battery", "B"),
  [0x0367] = whole("temperature", "<i2", 10),
  [0x0468] = whole("humidity", "B", 2),
  [0x0500] = choice("leakage_status", LEAKAGE),
  [0x20CE] = history("<I4i2BB", function(seconds, temperature, humidity, leakage)
    return {timestamp = seconds, temperature = temperature / 10, humidity = humidity / 2, leakage_status = LEAKAGE[leakage] or "unknown"}
  end),
}
