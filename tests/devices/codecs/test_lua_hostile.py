"""Scripts that mean harm, or are merely wrong: each costs its own frame, in time, memory and words."""

import pytest

from devices.codecs import lua

from .scripts import body, error, make_frame, run, value, values

FOREVER = {
    "loop": "while true do end",
    "goto": "::again:: goto again",
    "nested pcall": "while true do pcall(function() while true do pcall(function() while true do end end) end end) end",
    "xpcall's handler": "xpcall(function() while true do end end, function() while true do end end) return {a = 1}",
    "error in xpcall's handler": "while true do xpcall(error, function() while true do end end) end",
    "close": "local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end",
    "tostring": "print(setmetatable({}, {__tostring = function() while true do end end}))",
    "index": "return setmetatable({}, {__index = function() while true do end end}).x",
    "for": "for i = 1, math.maxinteger do end",
    "repeat through gsub": "while true do (('x'):rep(1000)):gsub('.', function() end) end",
    "print": "while true do print('x') end",
    "sort": "local t = {} for i = 1, 50000 do t[i] = i end while true do table.sort(t, function(a, b) return a > b end) end",
}
IN_C = {
    "backtracking": "return {a = (('a'):rep(200000)):find('.-.-.-.-b') or 0}",
    "insert": "table.insert(setmetatable({}, {__len = function() return 1e15 end}), 1, 2)",
    "gmatch": "for _ in (('a'):rep(200000)):gmatch('.-.-.-b') do end",
    "unpack and concat": "return {a = table.concat(setmetatable({}, {__index = rawlen, __len = function() return 1e18 end}))}",
}
MEMORY = {
    "rep": "return {a = string.rep('x', 1e9)}",
    "rep as a method": "return {a = #(('x'):rep(1e12))}",
    "rep with separator": "return {a = #string.rep('', 1e9, 'xx')}",
    "doubling": "local s = 'x' while true do s = s .. s end",
    "table": "local t = {} for i = 1, 1e9 do t[i] = {i} end",
    "gsub": "local s = ('x'):rep(100000) for _ = 1, 100 do s = s:gsub('x', ('x'):rep(1000)) end",
    "concat": "local t = {} for i = 1, 1000 do t[i] = ('x'):rep(100000) end return {a = #table.concat(t)}",
    "recursion": "local function f() return 1 + f() end return {a = f()}",
    "pcall does not help": "pcall(string.rep, 'x', 1e9) return {a = string.rep('x', 1e9)}",
}
NOT_THERE = [
    "debug", "io", "package", "coroutine", "load", "loadstring", "loadfile", "dofile", "collectgarbage", "python", "setfenv", "warn",
    "os.execute", "os.exit", "os.getenv", "os.remove", "os.rename", "os.tmpname", "os.setlocale", "string.dump",
]  # fmt: skip


@pytest.mark.parametrize("source", FOREVER.values(), ids=FOREVER)
def test_no_loop_goes_on(source: str) -> None:
    assert error(source) == ("codec_timeout", "the script took more than 100 ms")


@pytest.mark.parametrize("source", IN_C.values(), ids=IN_C)
def test_no_loop_in_c_goes_on(source: str) -> None:
    assert error(source)[0] in {"codec_timeout", "codec_error"}
    assert value("1") == 1


@pytest.mark.parametrize("source", MEMORY.values(), ids=MEMORY)
def test_no_script_takes_more_than_its_memory(source: str) -> None:
    assert error(source)[0] == "codec_memory"
    assert value("1") == 1


@pytest.mark.parametrize("name", NOT_THERE)
def test_nothing_dangerous_is_there(name: str) -> None:
    assert value(f"tostring({name})") == "nil"


def test_only_this_is_there() -> None:
    names = value("(function() local t = {} for k in pairs(_G) do t[#t + 1] = k end table.sort(t) return table.concat(t, ' ') end)()")
    assert names == (
        "_G _VERSION assert base64 bit bit32 decode error getmetatable hex ipairs json math next os pairs pcall print rawequal rawget "
        "rawlen rawset require select setmetatable string table tonumber tostring type unpack utf8 xpcall"
    )
    assert value("(function() local t = {} for k in pairs(os) do t[#t + 1] = k end table.sort(t) return table.concat(t, ' ') end)()") == (
        "clock date difftime time"
    )


@pytest.mark.parametrize(
    "source",
    [
        "setmetatable({}, {__gc = function() end})",
        "setmetatable({}, {__gc = false})",
        "getmetatable('').__index = nil",
        "setmetatable(string, {})",
        "setmetatable(json.null, {})",
        "rawset(json.null, 'a', 1)",
        "json.null.a = 1",
        "require('os')",
        "require('codec')",
        "error()",
        "decode(payload)",
        "return {a = nil + 1}",
        "local function f(s) return (s:gsub('.', f)) end return {a = f('x')}",
        "return {a = select('#', unpack({}, 1, 1e7))}",
        "table.move({}, 1, math.maxinteger - 1, 2)",
    ],
)
def test_what_is_forbidden_or_wrong_is_an_error(source: str) -> None:
    code, message = error(source)
    assert code in {"codec_error", "codec_memory"}
    assert message


def test_a_finalizer_that_is_added_later_never_runs() -> None:
    late = "local m = {} local t = setmetatable({}, m) m.__gc = function() while true do end end t = nil"
    assert values(late + " for i = 1, 1e5 do local k = {} end return {a = 1}") == {"a": 1}


def test_bytecode_does_not_load() -> None:
    assert "binary chunk" in (lua.compile_error("\x1bLuaT\x00\x19\x93\r\n") or "")


def test_the_parser_is_bounded_too() -> None:
    assert lua.compile_error("x = " + "{" * 5000 + "}" * 5000)
    assert lua.compile_error("x = " + "(" * 30000)
    assert lua.compile_error("-- " + "x" * 70_000) == "the script has 70003 bytes, at most 65536"
    assert lua.compile_error("while true do end") == "the script took more than 100 ms"


def test_error_objects_are_not_asked_for_their_text() -> None:
    answer = error("error(setmetatable({}, {__tostring = function() while true do end end}))")
    assert answer == ("codec_error", "the script raised a table")
    assert error("error(nil)") == ("codec_error", "the script raised a nil")
    assert error("error({code = 1})") == ("codec_error", "the script raised a table")


def test_error_texts_keep_their_line_and_are_cut() -> None:
    assert error("\n\nerror('no such frame type')") == ("codec_error", "line 4: no such frame type")
    assert error("error('as it is', 0)") == ("codec_error", "as it is")
    assert len(error("error(('x'):rep(1000000))")[1]) < 600
    assert error("error('\\255\\254', 0)") == ("codec_error", "��")
    assert error("error('a\\nstack traceback: mine', 0)")[1] == "a"


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("{a = 0/0}", "a is not a finite number"),
        ("{a = math.huge}", "a is not a finite number"),
        ("{a = {b = -math.huge}}", "b is not a finite number"),
        ("{a = print}", "a is a function"),
        ("print", "decode returned a function"),
        ("'text'", "decode returned a string"),
        ("5", "decode returned a number"),
        ("{1, 2}", "an entry of the list is no object"),
        ("{1, a = 2}", "the result mixes a list with other keys"),
        ("{a = {1, nil, 3}}", "a is a list with holes"),
        ("{[5] = 1}", "a key is a number: keys are texts, or 1..n for a list"),
        ("{[false] = 1}", "a key is a boolean: keys are texts, or 1..n for a list"),
        ("{[1.5] = 1}", "a key is a number: keys are texts, or 1..n for a list"),
        ("{[json.null] = 1}", "a key is a userdata: keys are texts, or 1..n for a list"),
        ("{a = 'x\\255'}", "a is not UTF-8 (for bytes use hex.encode)"),
        ("{a = '\\xed\\xa0\\x80'}", "a is not UTF-8 (for bytes use hex.encode)"),
        ("{['\\255'] = 1}", "a key is not UTF-8 (for bytes use hex.encode)"),
        ("{ts = 1, a = 2}", "`ts` without `values`"),
        ("{{ts = '2026-01-01T00:00:00Z', values = {a = 1}}}", "`ts` is no number of milliseconds"),
        ("{{ts = true, values = {a = 1}}}", "`ts` is no number of milliseconds"),
        ("{values = 5}", "`values` is no object"),
        ("{a = {b = {c = {d = {e = {f = {g = {h = {}}}}}}}}}", "nested deeper than 8 (or in a circle)"),
        ("{a = ('x'):rep(2000000)}", "the result has 2000008 bytes, at most 1048576"),
    ],
)
def test_a_result_that_is_no_result(result: str, said: str) -> None:
    assert error(f"return {result}") == ("codec_result", said)


def test_circles_and_floods_of_values_end() -> None:
    assert error("local t = {} t.t = t return t") == ("codec_result", "nested deeper than 8 (or in a circle)")
    assert error("local t = {} for i = 1, 20000 do t[i] = i end return {a = t}") == ("codec_result", "more than 10000 values")


def test_metamethods_have_no_say_in_the_result() -> None:
    meta = "{__index = function() return 9 end, __len = function() return 3 end, __pairs = function() error('no') end}"
    assert values(f"return setmetatable({{a = 1}}, {meta})") == {"a": 1}


def test_what_is_printed_is_kept_and_bounded() -> None:
    answer = run("print('a', 1, nil, true, json.null) print() print('two\\nlines') return {}")
    assert answer == {"reports": [], "log": ["a\t1\tnil\ttrue\tnull", "", "two", "lines"]}
    flood = run("for i = 1, 10000 do print(('x'):rep(100)) end return {}")
    assert sum(map(len, flood["log"])) < 9000
    assert flood["log"][-1].endswith(" ...")
    assert run("print('before') error('after', 0)") == {"error": {"code": "codec_error", "message": "after"}, "log": ["before"]}
    assert run("print('before') while true do end")["log"] == ["before"]


LEAKS = {
    "a global": "counter = (counter or 0) + 1 return {n = counter}",
    "in a library": "string.n = (string.n or 0) + 1 return {n = string.n}",
    "rawset in a library": "rawset(math, 'n', (rawget(math, 'n') or 0) + 1) return {n = math.n}",
    "by string methods": "local s = 'x' string.count = (s.count and 2 or 1) return {n = string.count}",
    "in json": "json.n = (json.n or 0) + 1 return {n = json.n}",
    "through require": "local j = require('json') j.n = (j.n or 0) + 1 return {n = j.n}",
    "in _G": "_G.n = (_G.n or 0) + 1 return {n = n}",
    "an upvalue": "top = top + 1 return {n = top}",
}


@pytest.mark.parametrize("source", LEAKS.values(), ids=LEAKS)
def test_a_frame_leaves_nothing_for_the_next(source: str) -> None:
    script = "top = 0\n" + body(source)
    answers = lua.try_out(script, [make_frame()] * 3)
    assert [answer["reports"][0]["values"]["n"] for answer in answers] == [1, 1, 1]


def test_the_random_numbers_cannot_be_steered() -> None:
    script = body("math.randomseed(42) return {n = math.random(math.maxinteger)}")
    first, second = lua.try_out(script, [make_frame()] * 2)
    assert first["reports"] != second["reports"]


def test_a_replaced_library_function_is_gone_in_the_next_frame() -> None:
    script = body("local was = ('x'):upper() function string.upper() return 'evil' end return {was = was, now = ('x'):upper()}")
    for answer in lua.try_out(script, [make_frame()] * 2):
        assert answer["reports"][0]["values"] == {"was": "X", "now": "evil"}
