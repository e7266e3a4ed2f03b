"""The sample frames that are saved with a script, and run on every save."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from devices.messages import Frame

from .trial import Answer, try_out

MAX_SAMPLES = 500
TOPIC = "devices/sample/up/raw"
Sample = dict[str, Any]


def check_samples(script: str, samples: Sequence[Sample]) -> list[str]:
    """What is wrong, one sentence per problem, each naming its sample by number; empty where all is well.

    A sample is `{"payload_base64" or "hex", "port"?, "topic"?, "expected": [{"ts"?, "values"}]}`. Numbers are
    compared by value (30 is 30.0), texts exactly, and `ts` only where the sample names it.
    """
    if len(samples) > MAX_SAMPLES:
        return [f"{len(samples)} samples, at most {MAX_SAMPLES}"]
    frames: list[Frame] = []
    problems = []
    for number, sample in enumerate(samples, 1):
        try:
            frames.append(frame_of(sample))
        except ValueError as error:
            problems.append(f"sample {number}: {error}")
    if problems:
        return problems
    answers = try_out(script, frames)
    return [
        f"sample {number}: {problem}"
        for number, (sample, answer) in enumerate(zip(samples, answers, strict=True), 1)
        if (problem := _mismatch(sample["expected"], answer))
    ]


def frame_of(sample: Sample) -> Frame:
    """The frame that a sample describes; raises ValueError where it describes none."""
    if not isinstance(sample, dict):
        raise ValueError("it is no object")
    port, topic = sample.get("port"), sample.get("topic", TOPIC)
    if port is not None and (isinstance(port, bool) or not isinstance(port, int) or not 0 <= port < 2**31):
        raise ValueError("`port` is no number")
    if not isinstance(topic, str):
        raise ValueError("`topic` is no text")
    expected = sample.get("expected")
    if not isinstance(expected, list) or not all(isinstance(entry, dict) and isinstance(entry.get("values"), dict) for entry in expected):
        raise ValueError("`expected` is no list of objects with `values`")
    return Frame(_payload(sample), topic, "sample", "sample", port, 0)


def _payload(sample: Sample) -> bytes:
    text = sample.get("hex", sample.get("payload_base64"))
    if not isinstance(text, str):
        raise ValueError("it has neither `hex` nor `payload_base64`")
    try:
        return bytes.fromhex(text) if "hex" in sample else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise ValueError("its bytes are not written as hex or base64") from None


def _mismatch(expected: list[dict[str, Any]], answer: Answer) -> str | None:
    if "error" in answer:
        return f"{answer['error']['code']}: {answer['error']['message']}"
    reports = answer["reports"]
    if len(reports) != len(expected):
        return f"{len(expected)} reports expected, {len(reports)} decoded"
    for wanted, got in zip(expected, reports, strict=True):
        if wanted.get("ts") is not None and wanted["ts"] != got["ts"]:
            return f"ts {wanted['ts']} expected, {got['ts']} decoded"
        if difference := _difference(wanted["values"], got["values"]):
            return difference
    return None


def _difference(wanted: dict[str, Any], got: dict[str, Any]) -> str | None:
    for key in wanted.keys() | got.keys():
        if key not in got:
            return f"{key} is missing"
        if key not in wanted:
            return f"{key} was not expected"
        if not same(wanted[key], got[key]):
            return f"{key}: {wanted[key]!r} expected, {got[key]!r} decoded"
    return None


def same(wanted: Any, got: Any) -> bool:
    """Equal as JSON: 30 is 30.0, but true is not 1."""
    if isinstance(wanted, bool) or isinstance(got, bool):
        return wanted is got
    if isinstance(wanted, dict) and isinstance(got, dict):
        return wanted.keys() == got.keys() and all(same(value, got[key]) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(got, list):
        return len(wanted) == len(got) and all(map(same, wanted, got))
    return bool(wanted == got)
