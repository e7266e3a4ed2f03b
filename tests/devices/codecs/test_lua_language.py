"""What a script can rely on: the promised libraries, by values that anybody can check."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.codecs import lua
from devices.exceptions import Invalid
from devices.messages import Decoded, Sample
from devices.timestamps import parse_ts

from .scripts import AT, body, decode, error, make_frame, run, value, values


def test_it_is_told_what_there_is_to_know() -> None:
    frame = make_frame(b"\x00\xff", topic="devices/gerät/up/raw/7", device="gerät", product="p", port=7)
    told = "{n = #payload, last = payload:byte(-1), topic = topic, device = meta.device, product = meta.product, port = meta.port}"
    assert values(f"return {told}", frame) == {
        "n": 2,
        "last": 255,
        "topic": "devices/gerät/up/raw/7",
        "device": "gerät",
        "product": "p",
        "port": 7,
    }
    assert value("meta.received_at") == AT // 1000
    assert value("tostring(meta.port)") == "nil"


@pytest.mark.parametrize("result", ["nil", "{}", "json.null", "{{}}", "{values = {}}", "{{ts = 1, values = {}}}"])
def test_nothing_to_store_is_fine(result: str) -> None:
    assert run(f"return {result}") == {"reports": [], "log": []}
    assert decode(body(f"return {result}"), b"x") == [Decoded([], [])]


def test_a_table_is_values_and_a_list_is_reports() -> None:
    assert run("return {a = 1, b = 'x', c = true, d = {1, 2}, e = {f = 1.5}}")["reports"] == [
        {"ts": None, "values": {"a": 1, "b": "x", "c": True, "d": [1, 2], "e": {"f": 1.5}}}
    ]
    assert run("return {{ts = 1767225600000, values = {a = 1}}, {values = {a = 2}}, {a = 3}}")["reports"] == [
        {"ts": 1767225600000, "values": {"a": 1}},
        {"ts": None, "values": {"a": 2}},
        {"ts": None, "values": {"a": 3}},
    ]
    assert run("return {ts = 1767225600000, values = {a = 1}}")["reports"] == [{"ts": 1767225600000, "values": {"a": 1}}]


def test_null_leaves_a_value_out() -> None:
    assert values("return {a = json.null, b = 1, c = {d = json.null}}") == {"b": 1, "c": {}}
    assert values("return {a = {1, json.null, 3}}") == {"a": [1, None, 3]}


def test_whole_numbers_keep_64_bits_and_doubles_their_value() -> None:
    got = values("return {low = math.mininteger, high = math.maxinteger, third = 1/3, big = 2^63, small = 5e-324, whole = 3.0}")
    assert got == {"low": -(2**63), "high": 2**63 - 1, "third": 1 / 3, "big": 2.0**63, "small": 5e-324, "whole": 3}
    assert isinstance(got["high"], int)


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=50, deadline=None)
def test_any_double_comes_back_exactly(number: float) -> None:
    assert value(f"tonumber('{number!r}')") == number


@pytest.mark.parametrize(
    ("ts", "at"),
    [("1767225600000", AT), ("1767225600000.25", AT + 250), ("1767225600000.0", AT), ("meta.received_at", AT)],
)
def test_ts_is_milliseconds(ts: str, at: int) -> None:
    (found,) = decode(body(f"return {{{{ts = {ts}, values = {{a = 1}}}}}}"), b"x")
    assert isinstance(found, Decoded)
    assert parse_ts(found.samples[0].ts, AT) == at


@pytest.mark.parametrize("ts", ["1767225600", "1767225600000000", "0", "-5", "1e300", "math.maxinteger", "math.mininteger"])
def test_ts_is_never_read_in_another_unit(ts: str) -> None:
    (found,) = decode(body(f"return {{{{ts = {ts}, values = {{a = 1}}}}}}"), b"x")
    assert isinstance(found, Decoded)
    with pytest.raises(Invalid) as refusal:
        parse_ts(found.samples[0].ts, AT)
    assert refusal.value.code == "bad_timestamp"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("string.unpack('>i2', '\\255\\206')", -50),
        ("('%04x'):format(255)", "00ff"),
        ("7 // 2", 3),
        ("0xF0 >> 4", 15),
        ("utf8.char(26085)", "日"),
        ("#table.pack(1, 2, 3)", 3),
        ("os.time({year = 2026, month = 1, day = 1, hour = 0})", 1767225600),
        ("os.date('!%Y-%m-%dT%H:%M:%S', 1767225600)", "2026-01-01T00:00:00"),
        ("os.date('%H', 0)", "00"),
        ("os.clock() >= 0", True),
        ("math.pow(2, 10)", 1024),
        ("math.ldexp(0.5, 4)", 8),
        ("select(1, math.frexp(8))", 0.5),
        ("select(2, math.frexp(8))", 4),
        ("select(1, math.frexp(-0.3))", -0.6),
        ("select(2, math.frexp(0))", 0),
        ("math.log10(1000)", 3),
        ("select('#', unpack({1, 2, 3}))", 3),
        ("table.getn({1, 2})", 2),
        ("require('json') == json", True),
        ("hex.encode('\\0\\255Az')", "00ff417a"),
        ("hex.decode('00fF 41') == '\\0\\255A'", True),
        ("base64.encode('\\0\\255\\254')", "AP/+"),
        ("base64.decode('AP_-') == base64.decode('AP/+')", True),
        ("base64.decode('QQ') .. base64.decode('QUI=') .. base64.decode('QUJD')", "AABABC"),
        ("json.encode({1, 2, {a = json.null}})", '[1,2,{"a":null}]'),
        ('json.decode(\'{"a": [1, 2.5, null, "\\\\u65e5\\\\ud83d\\\\ude00"]}\').a[4]', "日😀"),
        ("json.decode('[null]')[1] == json.null", True),
        ("tostring(json.null)", "null"),
        ("bit.band(0xFFFFFFFF, 0xFFFFFFFF)", -1),
        ("bit.bor(1, 2, 4)", 7),
        ("bit.bxor(0xF0, 0xFF)", 15),
        ("bit.bnot(0)", -1),
        ("bit.lshift(1, 31)", -2147483648),
        ("bit.lshift(1, 33)", 2),
        ("bit.rshift(-1, 28)", 15),
        ("bit.arshift(-16, 2)", -4),
        ("bit.arshift(0x80000000, 31)", -1),
        ("bit.rol(0x12345678, 12)", 0x45678123),
        ("bit.ror(0x12345678, 12)", 0x67812345),
        ("bit.bswap(0x12345678)", 0x78563412),
        ("bit.tobit(0xFFFFFFFF)", -1),
        ("bit.tobit(2^32 + 5)", 5),
        ("bit.tohex(255)", "000000ff"),
        ("bit.tohex(-1, -4)", "FFFF"),
        ("bit.tohex(0x1234, 2)", "34"),
        ("bit32.band()", 4294967295),
        ("bit32.bnot(0)", 4294967295),
        ("bit32.bor(0x80000000, 1)", 2147483649),
        ("bit32.btest(6, 2)", True),
        ("bit32.lshift(1, 32)", 0),
        ("bit32.lshift(16, -4)", 1),
        ("bit32.rshift(0x80000000, 31)", 1),
        ("bit32.arshift(0x80000000, 4)", 0xF8000000),
        ("bit32.arshift(0x80000000, 99)", 0xFFFFFFFF),
        ("bit32.lrotate(0x80000001, 1)", 3),
        ("bit32.rrotate(1, 1)", 0x80000000),
        ("bit32.extract(0xABCD, 4, 8)", 0xBC),
        ("bit32.replace(0xABCD, 0, 4, 8)", 0xA00D),
    ],
)
def test_the_libraries(expression: str, expected: Any) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "hex.decode('0')",
        "hex.decode('0g')",
        "hex.decode(nil)",
        "base64.decode('A')",
        "base64.decode('A*==')",
        "base64.encode({})",
        "json.decode('{\"a\": NaN}')",
        "json.decode('{\"a\": 1')",
        "json.decode('[1,]')",
        "json.decode('01')",
        "json.decode('1.')",
        "json.decode('1e999')",
        "json.decode('\"\\\\ud800\"')",
        "json.decode('[1] 2')",
        "json.decode('')",
        "json.decode(nil)",
        "json.decode('\"\\255\"')",
        "json.decode(('['):rep(100))",
        "json.encode({a = print})",
        "json.encode(0/0)",
        "bit.band('x', 1)",
        "bit.band(nil)",
        "bit.band(1/0)",
        "bit32.extract(1, 30, 4)",
        "bit32.lshift(1, 1.5)",
    ],
)
def test_the_libraries_refuse_nonsense(expression: str) -> None:
    assert error(f"return {{a = {expression}}}")[0] == "codec_error"


json_values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, min_size=1, max_size=4) | st.dictionaries(st.text(), inner, min_size=1, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=3), json_values, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_json_goes_in_and_out_unchanged(data: dict[str, Any]) -> None:
    script = body("return {{values = {back = json.encode(json.decode(payload))}}}")
    (found,) = decode(script, json.dumps(data).encode())
    assert isinstance(found, Decoded)
    assert json.loads(found.samples[0].values["back"]) == data


@given(st.binary(max_size=100))
@settings(max_examples=40, deadline=None)
def test_bytes_go_in_and_out_unchanged(payload: bytes) -> None:
    there_and_back = "h = hex.encode(hex.decode(hex.encode(payload))), same = base64.decode(base64.encode(payload)) == payload"
    script = body(f"return {{b = base64.encode(payload), {there_and_back}}}")
    (found,) = decode(script, payload)
    assert found == Decoded([Sample(None, {"b": base64.b64encode(payload).decode(), "h": payload.hex(), "same": True})], [])


def test_a_command_becomes_bytes() -> None:
    parts = "string.pack('>BI2', #command.name, command.params.level) .. command.id .. tostring(command.params.none)"
    script = f"function encode(command) return {parts} end"
    command = {"name": "dim", "params": {"level": 515, "none": None}, "id": "c-1"}
    assert lua.encode(script, command) == b"\x03\x02\x03c-1null"
    assert lua.compile_error(script) is None


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("function encode() return {} end", "codec_result"),
        ("function encode() end", "codec_result"),
        ("function encode() return ('x'):rep(300000) end", "codec_result"),
        ("function encode() error('not this one') end", "codec_error"),
        ("function encode() while true do end end", "codec_timeout"),
        ("function decode() end", "codec_error"),
        ("nonsense", "codec_error"),
    ],
)
def test_a_command_that_cannot_be_encoded_is_refused(source: str, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        lua.encode(source, {"name": "n", "params": {}, "id": "1"})
    assert refusal.value.code == code
    assert refusal.value.detail


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("function decode(payload) end", None),
        ("function encode(command) end", None),
        ("local function decode() end", "the script defines no function decode"),
        ("decode = 5", "the script defines no function decode"),
        ("", "the script defines no function decode"),
        ("function decode(\nx y\nend", "line 2: ')' expected near 'y'"),
        ("function decode() end\n\nfoo()", "line 3: attempt to call a nil value (global 'foo')"),
        ("\ud800", "line 1: unexpected symbol near '?'"),
    ],
)
def test_a_script_is_checked_when_it_is_saved(script: str, problem: str | None) -> None:
    assert lua.compile_error(script) == problem
