-- `bit` as LuaBitOp has it (signed 32 bits) and `bit32` as Lua 5.2 has it (unsigned), on Lua 5.4's 64-bit integers.
local floor, format, fmod, mathtype, select, sub, tointeger, tonumber, type =
  math.floor, string.format, math.fmod, math.type, select, string.sub, math.tointeger, tonumber, type

local function unsigned(value)
  local number = tonumber(value)
  if not number or number ~= number then
    error("bit: a number is expected, not a " .. type(value), 3)
  end
  if mathtype(number) == "float" then
    number = tointeger(fmod(floor(number), 4294967296)) or error("bit: the number is not finite", 3)
  end
  return number & 0xFFFFFFFF
end

local function signed(value)
  value = value & 0xFFFFFFFF
  return value >= 0x80000000 and value - 0x100000000 or value
end

local function fold(combine, finish, ...)
  local result = unsigned((...))
  for index = 2, select("#", ...) do
    result = combine(result, unsigned((select(index, ...))))
  end
  return finish(result)
end

local function both(left, right) return left & right end
local function either(left, right) return left | right end
local function differ(left, right) return left ~ right end
local function same(value) return value end

local function shift_right_arithmetic(value, count)
  return signed(value) // (1 << count)
end

local function rotate(value, count)
  return (value << count | value >> (32 - count)) & 0xFFFFFFFF
end

local function tohex(value, digits)
  digits = digits or 8
  local text = format(digits < 0 and "%08X" or "%08x", unsigned(value))
  local shown = digits < 0 and -digits or digits
  return shown >= 8 and text or sub(text, 9 - shown)
end

local bit = {
  tobit = function(value) return signed(unsigned(value)) end,
  tohex = tohex,
  bnot = function(value) return signed(~unsigned(value)) end,
  band = function(...) return fold(both, signed, ...) end,
  bor = function(...) return fold(either, signed, ...) end,
  bxor = function(...) return fold(differ, signed, ...) end,
  lshift = function(value, count) return signed(unsigned(value) << (unsigned(count) & 31)) end,
  rshift = function(value, count) return signed(unsigned(value) >> (unsigned(count) & 31)) end,
  arshift = function(value, count) return shift_right_arithmetic(unsigned(value), unsigned(count) & 31) end,
  rol = function(value, count) return signed(rotate(unsigned(value), unsigned(count) & 31)) end,
  ror = function(value, count) return signed(rotate(unsigned(value), -unsigned(count) & 31)) end,
  bswap = function(value)
    value = unsigned(value)
    return signed(value >> 24 | value >> 8 & 0xFF00 | value << 8 & 0xFF0000 | value << 24)
  end,
}

local function shift(value, count) -- to the left; a negative count to the right
  if count <= -32 or count >= 32 then
    return 0
  end
  return count >= 0 and value << count & 0xFFFFFFFF or value >> -count
end

local function field_mask(field, width)
  field, width = tointeger(field), tointeger(width or 1)
  if not field or not width or field < 0 or width < 1 or field + width > 32 then
    error("bit32: the field lies outside of 32 bits", 3)
  end
  return field, (1 << width) - 1
end

local function whole(count)
  return tointeger(tonumber(count)) or error("bit32: a whole number is expected", 3)
end

local bit32 = {
  bnot = function(value) return ~unsigned(value) & 0xFFFFFFFF end,
  band = function(...) return select("#", ...) == 0 and 0xFFFFFFFF or fold(both, same, ...) end,
  bor = function(...) return select("#", ...) == 0 and 0 or fold(either, same, ...) end,
  bxor = function(...) return select("#", ...) == 0 and 0 or fold(differ, same, ...) end,
  btest = function(...) return select("#", ...) == 0 or fold(both, same, ...) ~= 0 end,
  lshift = function(value, count) return shift(unsigned(value), whole(count)) end,
  rshift = function(value, count) return shift(unsigned(value), -whole(count)) end,
  arshift = function(value, count)
    value, count = unsigned(value), whole(count)
    if count < 0 then
      return shift(value, -count)
    end
    return shift_right_arithmetic(value, count > 31 and 31 or count) & 0xFFFFFFFF
  end,
  lrotate = function(value, count) return rotate(unsigned(value), whole(count) & 31) end,
  rrotate = function(value, count) return rotate(unsigned(value), -whole(count) & 31) end,
  extract = function(value, field, width)
    local first, mask = field_mask(field, width)
    return unsigned(value) >> first & mask
  end,
  replace = function(value, piece, field, width)
    local first, mask = field_mask(field, width)
    return unsigned(value) & ~(mask << first) & 0xFFFFFFFF | (unsigned(piece) & mask) << first
  end,
}

return {bit = bit, bit32 = bit32}
