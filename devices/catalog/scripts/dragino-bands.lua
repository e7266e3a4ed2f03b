-- The frequency bands in the status frames of Dragino's devices.
local BANDS = {
  "EU868", "US915", "IN865", "AU915", "KZ865", "RU864", "AS923", "AS923_1", "AS923_2", "AS923_3", "CN470", "EU433", "KR920", "MA869", "AS923_4",
}

local function firmware(version) -- three digits, one in each of the lower half-bytes
  return ("%d.%d.%d"):format(version >> 8 & 15, version >> 4 & 15, version & 15)
end
