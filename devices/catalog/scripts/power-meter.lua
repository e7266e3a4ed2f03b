-- Power meter, 33 bytes, big-endian:
--   0xA5, version (1), flags (1: bit 0 is the relay), voltages (3 x 2, 0.1 V), currents (3 x 2, 0.01 A), power (4, signed, W),
--   frequency (2, 0.01 Hz), power factor (1, signed, 0.01), energy (8, Wh), reserved (2), sum of all bytes before (1)
local LENGTH = 33

local function checksum(payload)
  local sum = 0
  for position = 1, LENGTH - 1 do
    sum = sum + payload:byte(position)
  end
  return sum & 0xFF
end

function decode(payload)
  if #payload ~= LENGTH or payload:byte(1) ~= 0xA5 then
    error(("a frame has %d bytes and begins with A5; this one has %d"):format(LENGTH, #payload))
  elseif payload:byte(LENGTH) ~= checksum(payload) then
    error(("the checksum is %02x, the frame says %02x"):format(checksum(payload), payload:byte(LENGTH)))
  end
  local _, _, flags, u1, u2, u3, i1, i2, i3, power, frequency, factor, energy = string.unpack(">BBBI2I2I2I2I2I2i4I2bI8", payload)
  return {
    relay = flags & 1 == 1,
    voltage_l1 = u1 / 10, voltage_l2 = u2 / 10, voltage_l3 = u3 / 10,
    current_l1 = i1 / 100, current_l2 = i2 / 100, current_l3 = i3 / 100,
    power = power, frequency = frequency / 100, power_factor = factor / 100, energy = energy / 1000,
  }
end
