-- hex and base64 for codec scripts.
local byte, char, concat, find, format, gsub, sub, tonumber, type =
  string.byte, string.char, table.concat, string.find, string.format, string.gsub, string.sub, tonumber, type

local function check(value, name)
  if type(value) ~= "string" then
    error(name .. ": a text is expected, not a " .. type(value), 3)
  end
end

local function hex_encode(bytes)
  check(bytes, "hex.encode")
  return (gsub(bytes, ".", function(letter) return format("%02x", byte(letter)) end))
end

local function hex_decode(text)
  check(text, "hex.decode")
  text = gsub(text, "%s", "")
  if #text % 2 == 1 or find(text, "%X") then
    error("hex.decode: not pairs of hexadecimal digits", 2)
  end
  return (gsub(text, "..", function(pair) return char(tonumber(pair, 16)) end))
end

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local DIGIT = {}
for index = 1, 64 do
  DIGIT[byte(ALPHABET, index)] = index - 1
end
DIGIT[byte("-")], DIGIT[byte("_")] = 62, 63 -- the URL-safe alphabet is read too

local function letter_of(bits)
  return sub(ALPHABET, bits + 1, bits + 1)
end

local function base64_encode(bytes)
  check(bytes, "base64.encode")
  local parts, count = {}, 0
  for position = 1, #bytes, 3 do
    local first, second, third = byte(bytes, position, position + 2)
    local bits = first << 16 | (second or 0) << 8 | (third or 0)
    count = count + 1
    parts[count] = letter_of(bits >> 18) .. letter_of(bits >> 12 & 63)
      .. (second and letter_of(bits >> 6 & 63) or "=") .. (third and letter_of(bits & 63) or "=")
  end
  return concat(parts)
end

local function base64_decode(text)
  check(text, "base64.decode")
  text = gsub(gsub(text, "%s", ""), "=?=$", "")
  if #text % 4 == 1 then
    error("base64.decode: a letter is missing", 2)
  end
  local parts, count, bits, width = {}, 0, 0, 0
  for position = 1, #text do
    local digit = DIGIT[byte(text, position)]
    if not digit then
      error("base64.decode: letter " .. position .. " is not of base64", 2)
    end
    bits, width = (bits << 6 | digit) & 0xFFFFFF, width + 6
    if width >= 8 then
      width, count = width - 8, count + 1
      parts[count] = char(bits >> width & 0xFF)
    end
  end
  return concat(parts)
end

return {hex = {encode = hex_encode, decode = hex_decode}, base64 = {encode = base64_encode, decode = base64_decode}}
