"""The JSON codec: what one message holds, and that one bad report costs itself only."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.codecs import CODECS
from devices.codecs.json import MAX_BYTES, MAX_ENTRIES, load, split, split_value
from devices.exceptions import Invalid
from devices.messages import Decoded, Frame, Sample


def codes(payload: bytes) -> list[str | None]:
    return [found.code if isinstance(found, Invalid) else None for found in split(payload)]


def test_an_object_is_values() -> None:
    assert split(b'{"temperature": 21.5, "on": true}') == [Sample(None, {"temperature": 21.5, "on": True})]


def test_the_long_form_has_values_and_at_most_ts() -> None:
    assert split(b'{"ts": 1767225600000, "values": {"a": 1}}') == [Sample(1767225600000, {"a": 1})]
    assert split(b'{"values": {"a": 1}}') == [Sample(None, {"a": 1})]
    assert split(b'{"ts": "2026-01-01T00:00:00Z", "values": {"a": {"b": [1]}}}') == [Sample("2026-01-01T00:00:00Z", {"a": {"b": [1]}})]


def test_any_other_object_is_values_even_with_those_names() -> None:
    assert split(b'{"values": 3, "other": 1}') == [Sample(None, {"values": 3, "other": 1})]
    assert split(b'{"ts": 1, "values": {"a": 1}, "x": 2}') == [Sample(None, {"ts": 1, "values": {"a": 1}, "x": 2})]


def test_a_list_is_judged_entry_by_entry() -> None:
    payload = b'[{"a": 1}, 3, {"ts": 5}, {"ts": 6, "values": {"b": 2}}, {"values": []}, {"c": 1e400}, {}]'
    found = split(payload)
    assert [entry for entry in found if isinstance(entry, Sample)] == [Sample(None, {"a": 1}), Sample(6, {"b": 2})]
    assert codes(payload) == [None, "bad_shape", "bad_shape", None, "bad_shape", "bad_value"]


@pytest.mark.parametrize("payload", [b"{}", b"[]", b"[{}]", b'{"values": {}}', b'{"ts": 1, "values": {}}', b'[{}, {"values": {}}]'])
def test_nothing_is_a_heartbeat(payload: bytes) -> None:
    assert split(payload) == []


@pytest.mark.parametrize(
    "payload", [b"7", b'"text"', b"null", b"true", b'{"ts": 5}', b'{"ts": 5, "a": 1}', b'{"values": 3}', b'{"values": null}']
)
def test_a_wrong_shape(payload: bytes) -> None:
    assert codes(payload) == ["bad_shape"]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"NaN",
        b"-Infinity",
        b'{"a": nan}',
        b'{"a": NaN,}',
        b'{"a": +Infinity}',
        b'{"a": "\\ud800", "b": NaN}',
        b'{"a": 1}}',
        b"{'a': 1}",
        b'{"a": 01}',
        b'{"a": 1,}',
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\\ud800"}',
        b'{"a": "\\ud800", "b": 1e400}',
        b'{"a\\udfff": 1e400}',
        b"\xef\xbb\xbf{}",
        b"\x00\x01\x02",
        "{}".encode("utf-16"),
        '{"a": 1e400}'.encode("utf-16"),
    ],
)
def test_what_is_no_json(payload: bytes) -> None:
    assert codes(payload) == ["not_json"]


def test_the_last_of_duplicate_keys_wins() -> None:
    assert split(b'{"a": 1, "a": 2}') == [Sample(None, {"a": 2})]


def test_whole_numbers_are_exact_within_64_bits_and_doubles_beyond() -> None:
    (found,) = split(b'{"low": -9223372036854775808, "high": 9223372036854775807, "u64": 18446744073709551615, "more": 1%s}' % (b"0" * 20))
    assert isinstance(found, Sample)
    assert found.values == {"low": -(2**63), "high": 2**63 - 1, "u64": 2**64 - 1, "more": 1e20}
    assert isinstance(found.values["more"], float)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 400, "1" + "0" * 5000, "1e99999999999"])
def test_a_number_beyond_a_double_costs_its_report_only(number: str) -> None:
    payload = f'[{{"a": 1}}, {{"a": {number}}}, {{"a": {{"deep": [{number}]}}}}, {{"a": 18446744073709551615, "b": 1.5}}]'.encode()
    assert codes(payload) == [None, "bad_value", "bad_value", None]
    assert split(payload)[3] == Sample(None, {"a": 2**64 - 1, "b": 1.5})


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "[1e400, NaN]"])
def test_what_sloppy_programs_write_for_no_number_costs_its_report_only(number: str) -> None:
    payload = f'[{{"a": 1}}, {{"a": {number}}}, {{"ts": 5, "values": {{"b": {number}}}}}, {{"a": "NaN"}}]'.encode()
    assert codes(payload) == [None, "bad_value", "bad_value", None]
    assert codes(f'{{"a": {number}}}'.encode()) == ["bad_value"]


def nested(depth: int) -> bytes:
    return b'{"a":' * (depth - 1) + b"{}" + b"}" * (depth - 1)


def test_depth_is_bounded() -> None:
    assert codes(nested(32)) == [None]
    assert codes(nested(33)) == ["too_deep"]
    assert codes(b'[{"b": 1}, ' + nested(33) + b"]") == [None, "too_deep"]
    assert codes(b'{"a":' + b"[" * 31 + b"]" * 31 + b"}") == [None]
    assert codes(b'{"a":' + b"[" * 32 + b"]" * 32 + b"}") == ["too_deep"]


def test_brackets_inside_of_texts_are_no_depth() -> None:
    assert split(json.dumps({"a": "[{" * 100}).encode()) == [Sample(None, {"a": "[{" * 100})]


@pytest.mark.parametrize(
    "payload",
    [b"[" * 10_000 + b"]" * 10_000, b"[" * 500_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000, b'[{"a": 1e400}, ' + b"[" * 900 + b"]" * 901],
    ids=["closed", "open", "objects", "with infinity"],
)
def test_absurd_nesting_is_safe(payload: bytes) -> None:
    assert "too_deep" in codes(payload) or codes(payload)[-1] == "bad_shape"


def test_size_is_bounded() -> None:
    fits = b'{"a": "' + b"x" * (MAX_BYTES - 9) + b'"}'
    assert len(fits) == MAX_BYTES
    assert codes(fits) == [None]
    assert codes(fits + b" ") == ["too_large"]
    assert codes(b"[" + b"1," * MAX_ENTRIES + b"1]") == ["too_large"]


def test_many_entries_are_many_samples() -> None:
    payload = json.dumps([{"ts": 1767225600000 + n, "values": {"a": n}} for n in range(10_000)]).encode()
    assert [found.values["a"] for found in split(payload) if isinstance(found, Sample)] == list(range(10_000))


def test_a_gateway_judges_each_child() -> None:
    data, suspicious = load(b'{"one": {"a": 1}, "two": [{"a": 1e400}], "three": 5}')
    found = {child: split_value(value, inspect=suspicious) for child, value in data.items()}
    assert found["one"] == [Sample(None, {"a": 1})]
    assert [type(entry) for entry in found["two"] + found["three"]] == [Invalid, Invalid]


def test_raw_frames_may_be_json_too() -> None:
    frames = [Frame(payload, "t", "d", "p", None, 0) for payload in (b'{"a": 1}', b"[]", b"nonsense")]
    first, second, third = CODECS["json"]("", frames)
    assert first == Decoded([Sample(None, {"a": 1})], [])
    assert second == Decoded([], [])
    assert isinstance(third, Invalid) and third.code == "not_json"


finite = st.floats(allow_nan=False, allow_infinity=False)
leaves = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), finite, st.text())
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=12)


@given(st.dictionaries(st.text(min_size=3), trees, min_size=1, max_size=6))
def test_any_object_comes_back_as_it_was(values: dict[str, Any]) -> None:
    if values.keys() & {"values"}:
        return
    assert split(json.dumps(values).encode()) == [Sample(None, values)]


@given(st.binary(max_size=200))
def test_no_bytes_break_it(payload: bytes) -> None:
    for found in split(payload):
        assert isinstance(found, Sample | Invalid)


@given(
    st.recursive(
        leaves | st.just(math.inf) | st.just(math.nan), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
    )
)
def test_no_infinity_ever_gets_through(value: Any) -> None:
    payload = json.dumps(value).replace("Infinity", "1e999").encode()
    for found in split(payload):
        if isinstance(found, Sample):
            json.dumps(found.values, allow_nan=False)
