"""Samples are saved with a script and run on every save: each problem names its sample."""

from typing import Any

import pytest

from devices.codecs.lua import check_samples
from devices.codecs.lua.samples import MAX_SAMPLES, same

SCRIPT = """
function decode(payload, topic, meta)
  if #payload == 0 then return nil end
  if payload == "log" then return {{ts = 1767225600000, values = {a = 1}}, {ts = 1767225601000, values = {a = 2}}} end
  if payload == "bad" then error("no such frame") end
  return {n = #payload, half = #payload / 2, first = payload:byte(1), port = meta.port, topic = topic, on = true}
end
"""
ALL = {"n": 2, "half": 1, "first": 1, "topic": "devices/sample/up/raw", "on": True}


def sample(expected: Any = None, **overrides: Any) -> dict[str, Any]:
    return {"hex": "0102", "expected": [{"values": ALL}] if expected is None else expected} | overrides


@pytest.mark.parametrize(
    "good",
    [
        sample(),
        {"payload_base64": "AQI=", "expected": [{"values": ALL}]},
        sample([{"values": ALL | {"port": 2}}], port=2),
        sample([{"values": ALL | {"topic": "x/y"}}], topic="x/y"),
        sample([{"values": ALL | {"n": 2.0}}]),
        {"hex": "", "expected": []},
        {"hex": b"log".hex(), "expected": [{"values": {"a": 1}}, {"ts": 1767225601000, "values": {"a": 2}}]},
    ],
)
def test_a_good_sample_passes(good: dict[str, Any]) -> None:
    assert check_samples(SCRIPT, [good]) == []


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (sample([{"values": ALL | {"n": 3}}]), "n: 3 expected, 2 decoded"),
        (sample([{"values": ALL | {"on": 1}}]), "on: 1 expected, True decoded"),
        (sample([{"values": ALL | {"first": "1"}}]), "first: '1' expected, 1 decoded"),
        (sample([{"values": ALL | {"more": 1}}]), "more is missing"),
        (sample([{"values": {key: ALL[key] for key in ALL if key != "on"}}]), "on was not expected"),
        (sample([]), "0 reports expected, 1 decoded"),
        ({"hex": b"log".hex(), "expected": [{"values": {"a": 1}}, {"ts": 5, "values": {"a": 2}}]}, "ts 5 expected, 1767225601000 decoded"),
        ({"hex": b"bad".hex(), "expected": []}, "codec_error: line 5: no such frame"),
        (sample(hex="zz"), "its bytes are not written as hex or base64"),
        ({"payload_base64": "!", "expected": []}, "its bytes are not written as hex or base64"),
        ({"expected": []}, "it has neither `hex` nor `payload_base64`"),
        ({"hex": "00"}, "`expected` is no list of objects with `values`"),
        (sample([{"a": 1}]), "`expected` is no list of objects with `values`"),
        (sample(port="2"), "`port` is no number"),
        (sample(port=True), "`port` is no number"),
        (sample(port=-1), "`port` is no number"),
        (sample(topic=5), "`topic` is no text"),
        (5, "it is no object"),
    ],
)
def test_a_bad_sample_is_named(bad: Any, problem: str) -> None:
    good = sample()
    problems = check_samples(SCRIPT, [good, bad])
    assert problems == [f"sample 2: {problem}"]


def test_there_is_a_limit() -> None:
    assert check_samples(SCRIPT, [sample()] * (MAX_SAMPLES + 1)) == ["501 samples, at most 500"]
    assert check_samples(SCRIPT, []) == []


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (30, 30.0, True),
        (True, 1, False),
        (False, False, True),
        ([1, {"a": 2}], [1.0, {"a": 2.0}], True),
        ([1], [1, 2], False),
        ({"a": 1}, {"a": True}, False),
        ("0.00", 0.0, False),
        (None, None, True),
    ],
)
def test_equal_is_by_value_and_kind(one: Any, other: Any, equal: bool) -> None:
    assert same(one, other) is equal
    assert same(other, one) is equal
