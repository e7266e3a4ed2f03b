-- The room that a codec script runs in: a fresh environment per frame, counted instructions, nothing shared.
--
-- What a script can reach is listed in `environment`; there is no way to `debug`, `io`, `load`, coroutines or
-- bytecode. Libraries are shown through tables of the frame's own, so that a script may add to `string` without
-- the next frame seeing it. The last line of defence is outside: the process can be killed.
local load_module, limits = ...

local clock, concat, error, getmetatable, load, next, raw_pcall, raw_xpcall, rawget, select, sethook, setmetatable, tostring, type =
  os.clock, table.concat, error, getmetatable, load, next, pcall, xpcall, rawget, select, debug.sethook, setmetatable, tostring, type
local getinfo, gsub, setupvalue, sub = debug.getinfo, string.gsub, debug.setupvalue, string.sub

local text_meta = getmetatable("")
text_meta.__metatable = false

-- Light userdata cannot be changed or made by a script: the one safe sentinel.
local null = debug.upvalueid(function() return sethook end, 1)
debug.setmetatable(null, {__metatable = false, __tostring = function() return "null" end})

local json = load_module("json", null)
local encode_result = json.encoder(limits.result_depth, limits.result_nodes, true)
local encode_json = json.encoder(32, limits.result_nodes, false)
local binary, bits = load_module("binary"), load_module("bit")

-- Budget: ticks of STEP instructions. The clock is read from the first tick on, so that a quick frame never does.
local STEP = 10000
local SPENT = "codec budget is spent"
local ticks, started, spent

local bounded -- set below: the one function that goes on when the budget is spent

local function tick()
  if spent then
    if getinfo(2, "f").func ~= bounded then
      error(SPENT, 0)
    end
    return
  end
  ticks = ticks + 1
  if ticks == 1 then
    started = clock()
  elseif ticks * STEP > limits.instructions or clock() - started > limits.seconds then
    spent = true
    sethook(tick, "", 1) -- from now on every single instruction fails: no handler gets a word in
    error(SPENT, 0)
  end
end

local function unless_spent(...)
  if spent then
    error(SPENT, 0)
  end
  return ...
end

local function guarded_pcall(...)
  return unless_spent(raw_pcall(...))
end

local function guarded_xpcall(work, handler, ...)
  local function handle(problem) -- runs while hooks are off, so a spent budget must not reach the script's own
    if spent then
      return SPENT
    end
    return handler(problem)
  end
  return unless_spent(raw_xpcall(work, handle, ...))
end

local function guarded_setmetatable(object, meta)
  if type(object) ~= "table" then
    error("setmetatable: a table is expected, not a " .. type(object), 2)
  elseif type(meta) == "table" and rawget(meta, "__gc") ~= nil then
    error("__gc is not allowed", 2)
  end
  return setmetatable(object, meta)
end

-- Functions that loop in C, where the hook does not count.
local raw_rep, raw_move = string.rep, table.move

local function capped_rep(text, count, separator)
  local size = (#text + #(separator or "") + 0.0) * (tonumber(count) or 0)
  if size == 0 then
    count = 0
  elseif size > limits.memory then
    error("not enough memory", 0)
  end
  return raw_rep(text, count, separator)
end

local function capped_move(from, first, last, at, ...)
  if last - first > limits.instructions then
    error("table.move: too many", 2)
  end
  return raw_move(from, first, last, at, ...)
end

local function with(base, extra, without)
  local copy = {}
  for key, value in next, base do
    copy[key] = value
  end
  for key, value in next, extra do
    copy[key] = value
  end
  for _, key in ipairs(without or {}) do
    copy[key] = nil
  end
  return copy
end

local function frexp(value)
  if value == 0 or value ~= value or value == math.huge or value == -math.huge then
    return value, 0
  end
  local exponent = math.floor(math.log(math.abs(value), 2)) + 1
  local mantissa = value / 2.0 ^ exponent
  if math.abs(mantissa) >= 1 then
    mantissa, exponent = mantissa / 2, exponent + 1
  end
  return mantissa, exponent
end

local LIBRARIES = {
  string = with(string, {rep = capped_rep}, {"dump"}),
  table = with(table, {move = capped_move, getn = function(list) return #list end}),
  math = with(math, {
    pow = function(base, exponent) return base ^ exponent end,
    ldexp = function(mantissa, exponent) return mantissa * 2.0 ^ exponent end,
    frexp = frexp,
    log10 = function(value) return math.log(value, 10) end,
    randomseed = function() end, -- its state would outlive the frame
  }),
  utf8 = utf8,
  os = {time = os.time, date = os.date, clock = os.clock, difftime = os.difftime},
  json = {decode = json.decode, encode = encode_json, null = null},
  hex = binary.hex,
  base64 = binary.base64,
  bit = bits.bit,
  bit32 = bits.bit32,
}

local function all_pairs(base)
  return function(own)
    return next, with(base, own), nil
  end
end

local SHOWN_BY = {} -- name -> the metatable that shows a library through a table of the frame's own
for name, library in next, LIBRARIES do
  SHOWN_BY[name] = {__index = library, __pairs = all_pairs(library), __metatable = false}
end

local log, log_size

local function print(...)
  local parts = {}
  for index = 1, select("#", ...) do
    parts[index] = tostring((select(index, ...)))
  end
  local line = concat(parts, "\t")
  if log_size + #line > limits.log then
    line = log_size < limits.log and sub(line, 1, limits.log - log_size) .. " ..." or nil
    log_size = limits.log
  else
    log_size = log_size + #line + 1
  end
  log[#log + 1] = line
end

local function environment()
  local env = {
    _VERSION = _VERSION, assert = assert, error = error, getmetatable = getmetatable, ipairs = ipairs, next = next, pairs = pairs,
    pcall = guarded_pcall, print = print, rawequal = rawequal, rawget = rawget, rawlen = rawlen, rawset = rawset, select = select,
    setmetatable = guarded_setmetatable, tonumber = tonumber, tostring = tostring, type = type, unpack = table.unpack,
    xpcall = guarded_xpcall,
  }
  for name, meta in next, SHOWN_BY do
    env[name] = setmetatable({}, meta)
  end
  env._G = env
  env.require = function(name)
    if name ~= "json" then
      error("require: only json can be required", 2)
    end
    return env.json
  end
  text_meta.__index = env.string
  return env
end

local chunk, compile_problem
local stage

local function entry(name)
  local env = environment()
  setupvalue(chunk, 1, env)
  chunk()
  return env, rawget(env, name)
end

local function defined(name)
  local _, found = entry(name)
  if type(found) ~= "function" then
    error("the script defines no function " .. name, 0)
  end
  return found
end

local function run_decode(payload, topic, device, product, port, received_at)
  local decode = defined("decode")
  local meta = {device = device, product = product, port = port, received_at = received_at}
  local result = decode(payload, topic, meta)
  stage = "result"
  if result == nil or result == null then
    return "{}"
  elseif type(result) ~= "table" then
    error("decode returned a " .. type(result), 0)
  end
  result = encode_result(result)
  if #result > limits.result_bytes then
    error("the result has " .. #result .. " bytes, at most " .. limits.result_bytes, 0)
  end
  return result
end

local function run_encode(command)
  local result = defined("encode")(json.decode(command))
  stage = "result"
  if type(result) ~= "string" then
    error("encode returned a " .. type(result) .. ", not a byte string", 0)
  elseif #result > limits.frame then
    error("encode returned more than " .. limits.frame .. " bytes", 0)
  end
  return result
end

local function run_check()
  local env, decode = entry("decode")
  if type(decode) ~= "function" and type(rawget(env, "encode")) ~= "function" then
    error("the script defines no function decode", 0)
  end
  return ""
end

local function text_of(problem)
  if type(problem) == "string" then
    return sub(gsub(problem, "\nstack traceback:.*", ""), 1, limits.detail)
  end
  return "the script raised a " .. type(problem) -- its own __tostring is not asked
end

local function verdict(problem)
  if problem == SPENT then
    return "codec_timeout", string.format("the script took more than %.0f ms", limits.seconds * 1000)
  elseif problem == "not enough memory" then
    return "codec_memory", "the script needs more than its memory"
  end
  return stage == "result" and "codec_result" or "codec_error", text_of(problem)
end

-- Runs one piece of work under the budget: returns a word, a text or bytes, and what was printed.
function bounded(work, ...)
  if not chunk then
    return "codec_error", compile_problem
  end
  ticks, spent, stage, log, log_size = 0, false, "script", {}, 0
  sethook(tick, "", STEP)
  local ok, result = raw_pcall(work, ...)
  sethook()
  local printed = log_size > 0 and concat(log, "\n") or nil
  if ok then
    return "ok", result, printed
  end
  local word, detail = verdict(result)
  return word, detail, printed
end

return {
  SPENT = SPENT,
  load = function(source)
    chunk, compile_problem = load(source, "=codec", "t", {})
    compile_problem = text_of(compile_problem)
  end,
  decode = function(...) return bounded(run_decode, ...) end,
  encode = function(command) return bounded(run_encode, command) end,
  check = function() return bounded(run_check) end,
}
