-- JSON for codec scripts, and the walk that turns a script's result into JSON.
-- Pure Lua on purpose: every step of it counts against the script's instruction budget.
local null = ...

local byte, char, find, format, gsub, sub = string.byte, string.char, string.find, string.format, string.gsub, string.sub
local concat, mathtype, next, rawget, rawlen, tonumber, type, utf8char, utf8len =
  table.concat, math.type, next, rawget, rawlen, tonumber, type, utf8.char, utf8.len
local HUGE = math.huge
local MAX_CACHED_KEYS, MAX_DECODE_DEPTH, MAX_PIECES = 1000, 64, 1000

local function fail(text)
  error(text, 0)
end

local ESCAPED = {["\""] = "\\\"", ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t"}

local function escape(letter)
  return ESCAPED[letter] or format("\\u%04x", byte(letter))
end

local function text(value, where)
  if not utf8len(value) then
    fail(where .. " is not UTF-8 (for bytes use hex.encode)")
  end
  if find(value, "[%c\"\\]") then
    value = gsub(value, "[%c\"\\]", escape)
  end
  return "\"" .. value .. "\""
end

local function number(value, where)
  if mathtype(value) == "integer" then
    return format("%d", value)
  elseif value ~= value or value == HUGE or value == -HUGE then
    fail(where .. " is not a finite number")
  end
  return format("%.17g", value)
end

local keys, cached = {}, 0 -- the quoted form of property names; they are few and come again with every frame

local function quoted_key(key)
  local quoted = keys[key]
  if not quoted then
    quoted = text(key, "a key") .. ":"
    if cached < MAX_CACHED_KEYS and #key <= 64 then
      keys[key], cached = quoted, cached + 1
    end
  end
  return quoted
end

-- One encoder per set of limits. `leave_nulls_out` holds for objects; in a list null keeps its place.
-- What it writes gathers in one list of pieces, which is used again while it is short: a result then costs one string.
local function encoder(max_depth, max_nodes, leave_nulls_out)
  local pieces, count, nodes = {}, 0, 0
  local write

  local function list(value, length, depth, where)
    local known = 0
    for key in next, value do
      known = known + 1
      if mathtype(key) ~= "integer" or key < 1 or key > length then
        fail(where .. " mixes a list with other keys")
      end
    end
    if known ~= length then
      fail(where .. " is a list with holes")
    end
    local before = "["
    for index = 1, length do
      pieces[count + 1], count = before, count + 1
      write(rawget(value, index), depth, where)
      before = ","
    end
    pieces[count + 1], count = "]", count + 1
  end

  local function object(value, depth)
    local before = "{"
    for key, item in next, value do
      if type(key) ~= "string" then
        fail("a key is a " .. type(key) .. ": keys are texts, or 1..n for a list")
      elseif item ~= null or not leave_nulls_out then
        pieces[count + 1], pieces[count + 2], count = before, keys[key] or quoted_key(key), count + 2
        if mathtype(item) == "integer" then -- the commonest values, spared three calls
          nodes = nodes + 1
          pieces[count + 1], count = item, count + 1
        else
          write(item, depth, key)
        end
        before = ","
      end
    end
    if nodes > max_nodes then
      fail("more than " .. max_nodes .. " values")
    end
    pieces[count + 1], count = before == "{" and "{}" or "}", count + 1
  end

  function write(value, depth, where)
    nodes = nodes + 1
    if nodes > max_nodes then
      fail("more than " .. max_nodes .. " values")
    end
    local kind = type(value)
    local piece
    if kind == "number" then
      piece = number(value, where)
    elseif kind == "string" then
      piece = text(value, where)
    elseif kind == "boolean" then
      piece = value and "true" or "false"
    elseif value == null then
      piece = "null"
    elseif kind ~= "table" then
      fail(where .. " is a " .. kind)
    elseif depth >= max_depth then
      fail("nested deeper than " .. max_depth .. " (or in a circle)")
    else
      local length = rawlen(value)
      if length > 0 then
        return list(value, length, depth + 1, where)
      end
      return object(value, depth + 1)
    end
    pieces[count + 1], count = piece, count + 1
  end

  return function(value)
    if count > MAX_PIECES then
      pieces = {}
    end
    count, nodes = 0, 0
    write(value, 0, "the result")
    return concat(pieces, "", 1, count)
  end
end

-- Decoding: recursive descent, driven by patterns.
local decode_value

local function decode_failed(position, what)
  error("json.decode: " .. what .. " at byte " .. position, 0)
end

local UNESCAPED = {["\""] = "\"", ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t"}

local function decode_unicode(source, position)
  local _, last, digits = find(source, "^u(%x%x%x%x)", position)
  if not digits then
    decode_failed(position, "bad escape")
  end
  local code = tonumber(digits, 16)
  if code >= 0xD800 and code <= 0xDFFF then
    local _, pair_last, low_digits = find(source, "^\\u([dD][c-fC-F]%x%x)", last + 1)
    if code > 0xDBFF or not low_digits then
      decode_failed(position, "lone surrogate")
    end
    return utf8char(0x10000 + (code - 0xD800) * 0x400 + tonumber(low_digits, 16) - 0xDC00), pair_last + 1
  end
  return utf8char(code), last + 1
end

local function decode_escape(source, position)
  local letter = UNESCAPED[sub(source, position, position)]
  if letter then
    return letter, position + 1
  end
  return decode_unicode(source, position)
end

local function decode_string(source, position)
  local parts, count = {}, 0
  while true do
    local stop = find(source, "[\"\\%c]", position)
    if not stop then
      decode_failed(position, "unfinished text")
    end
    count = count + 1
    parts[count] = sub(source, position, stop - 1)
    local letter = byte(source, stop)
    if letter == 34 then
      return concat(parts), stop + 1
    elseif letter ~= 92 then
      if letter ~= 127 then
        decode_failed(stop, "control character")
      end
      count, position = count + 1, stop + 1
      parts[count] = "\127"
    else
      count = count + 1
      parts[count], position = decode_escape(source, stop + 1)
    end
  end
end

local function after_space(source, position)
  return find(source, "[^ \t\r\n]", position) or #source + 1
end

local function decode_list(source, position, depth)
  local list, count = {}, 0
  position = after_space(source, position)
  if byte(source, position) == 93 then
    return list, position + 1
  end
  while true do
    count = count + 1
    list[count], position = decode_value(source, position, depth)
    position = after_space(source, position)
    local letter = byte(source, position)
    if letter == 93 then
      return list, position + 1
    elseif letter ~= 44 then
      decode_failed(position, "expected , or ]")
    end
    position = position + 1
  end
end

local function decode_object(source, position, depth)
  local object = {}
  position = after_space(source, position)
  if byte(source, position) == 125 then
    return object, position + 1
  end
  while true do
    position = after_space(source, position)
    if byte(source, position) ~= 34 then
      decode_failed(position, "expected a key")
    end
    local key
    key, position = decode_string(source, position + 1)
    position = after_space(source, position)
    if byte(source, position) ~= 58 then
      decode_failed(position, "expected :")
    end
    object[key], position = decode_value(source, position + 1, depth)
    position = after_space(source, position)
    local letter = byte(source, position)
    if letter == 125 then
      return object, position + 1
    elseif letter ~= 44 then
      decode_failed(position, "expected , or }")
    end
    position = position + 1
  end
end

local function decode_number(source, position)
  local _, last = find(source, "^-?%d+%.?%d*[eE]?[+-]?%d*", position)
  local digits = last and sub(source, position, last)
  local value = digits and not find(digits, "^-?0%d") and not find(digits, "%.$") and not find(digits, "%.[eE]") and tonumber(digits)
  if not value or value == HUGE or value == -HUGE then
    decode_failed(position, "bad value")
  end
  return value, last + 1
end

local WORDS = {{"^true", true}, {"^false", false}, {"^null", null}}

function decode_value(source, position, depth)
  position = after_space(source, position)
  local letter = byte(source, position)
  if depth > MAX_DECODE_DEPTH then
    decode_failed(position, "nested deeper than " .. MAX_DECODE_DEPTH)
  elseif letter == 123 then
    return decode_object(source, position + 1, depth + 1)
  elseif letter == 91 then
    return decode_list(source, position + 1, depth + 1)
  elseif letter == 34 then
    return decode_string(source, position + 1)
  end
  for _, word in ipairs(WORDS) do
    local _, last = find(source, word[1], position)
    if last then
      return word[2], last + 1
    end
  end
  return decode_number(source, position)
end

local function decode(source)
  if type(source) ~= "string" then
    error("json.decode: a text is expected, not a " .. type(source), 2)
  elseif not utf8len(source) then
    error("json.decode: not UTF-8", 0)
  end
  local value, position = decode_value(source, 1, 1)
  position = after_space(source, position)
  if position <= #source then
    decode_failed(position, "something after the end")
  end
  return value
end

return {encoder = encoder, decode = decode}
