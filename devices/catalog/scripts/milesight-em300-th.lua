
-- EM300-TH: temperature and humidity.
CHANNELS = {
  [0x0175] = whole("battery", "B"),
  [0x0367] = whole("temperature", "<i2", 10),
  [0x0468] = whole("humidity", "B", 2),
  [0x20CE] = history("<I4i2BB", function(seconds, temperature, humidity)
    return {timestamp = seconds, temperature = temperature / 10, humidity = humidity / 2}
  end),
}
