"""The JSON codec: a payload to the samples that it holds, each judged on its own.

Pure and on the hot path: a flat object costs one `orjson.loads`, two byte searches and one tuple. Everything that
is rare (deep nesting, NaN, numbers beyond a double) is found by counting brackets or by orjson's refusal, and only then
looked at slowly.
"""

import json
from collections.abc import Sequence
from typing import Any

import orjson

from devices.exceptions import Invalid
from devices.messages import Decoded, Frame, Sample

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_ENTRIES = 30_000  # more than a full megabyte of timed entries; stops `[1,1,1,...` from becoming a dead letter each

Outcome = Sample | Invalid


def split(payload: bytes) -> list[Outcome]:
    """The samples of one message, in order; what cannot be one is an `Invalid` in its place.

    An empty list is a heartbeat. A message that is no JSON, or too large, is one `Invalid`.
    """
    try:
        data, suspicious = load(payload)
    except Invalid as error:
        return [error]
    if type(data) is dict and data and "ts" not in data and "values" not in data and not suspicious:
        return [Sample(None, data)]
    return split_value(data, inspect=suspicious)


def decode(script: str, frames: Sequence[Frame]) -> list[Decoded | Invalid]:
    """Frames of JSON by the interface that all codecs share. A frame with a bad sample in it is refused whole;
    `split` judges sample by sample."""
    answers: list[Decoded | Invalid] = []
    for frame in frames:
        found = split(frame.payload)
        refused = next((sample for sample in found if isinstance(sample, Invalid)), None)
        answers.append(refused or Decoded([sample for sample in found if isinstance(sample, Sample)], []))
    return answers


def load(payload: bytes) -> tuple[Any, bool]:
    """The value of one message, and whether its parts must be inspected: pass that on to `split_value`.

    Raises `Invalid` where the message as a whole is too large, too deep or no JSON.
    """
    if len(payload) > MAX_BYTES:
        raise Invalid("too_large", f"{len(payload)} bytes, at most {MAX_BYTES}")
    try:
        data = orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        return _load_slowly(payload, str(error)), True
    if b"[" not in payload and payload.rfind(b"{") <= 0:
        return data, False
    # No more brackets than the limit means no deeper than the limit: the walk is for the suspicious only.
    return data, payload.count(b"{") + payload.count(b"[") > MAX_DEPTH


def split_value(data: Any, *, inspect: bool = False) -> list[Outcome]:
    """The samples of one decoded message: an object, a list of objects, or a single `Invalid`.

    `inspect` walks each of them for depth and infinities first; codecs whose own limits rule these out save it.
    """
    if type(data) is dict:
        entries, depth = [data], 1
    elif type(data) is list:
        entries, depth = data, 2
    else:
        return [Invalid("bad_shape", "neither an object nor a list")]
    if len(entries) > MAX_ENTRIES:
        return [Invalid("too_large", f"{len(entries)} entries, at most {MAX_ENTRIES}")]
    return [found for entry in entries if (found := _sample(entry, depth if inspect else 0)) is not None]


def _sample(entry: Any, inspect_from: int) -> Outcome | None:
    """The sample of one entry, whichever form it has; None for an empty one, which is a heartbeat."""
    if type(entry) is not dict:
        return Invalid("bad_shape", "an entry of the list is no object")
    if inspect_from and (flaw := _flaw(entry, inspect_from)):
        return flaw
    if "values" in entry and len(entry) == 1 + ("ts" in entry):
        values = entry["values"]
        if type(values) is not dict:
            return Invalid("bad_shape", "`values` is no object")
        return Sample(entry.get("ts"), values) if values else None
    if "ts" in entry and "values" not in entry:
        return Invalid("bad_shape", "`ts` without `values`")
    return Sample(None, entry) if entry else None


def _flaw(value: Any, depth: int) -> Invalid | None:
    """What makes a report unacceptable whatever its product: too deep, or a number that no double holds."""
    if isinstance(value, float):
        return None if abs(value) < float("inf") else Invalid("bad_value", "NaN, or a number that is too large")
    if not isinstance(value, dict | list):
        return None
    if depth > MAX_DEPTH:
        return Invalid("too_deep", f"nested deeper than {MAX_DEPTH}")
    children = value.values() if isinstance(value, dict) else value
    return next((found for child in children if (found := _flaw(child, depth + 1))), None)


def _load_slowly(payload: bytes, refusal: str) -> Any:
    """orjson refuses a whole message for one 1e400 or NaN; the standard library lets us judge report by report."""
    if "depth limit" in refusal:
        raise Invalid("too_deep", f"nested deeper than {MAX_DEPTH}")
    if "infinity" not in refusal and b"NaN" not in payload and b"Infinity" not in payload:
        raise Invalid("not_json", refusal)
    try:
        data = json.loads(payload.decode(), parse_int=_whole)
        json.dumps(data, ensure_ascii=False).encode()  # lone surrogates end here
    except RecursionError:
        raise Invalid("too_deep", f"nested deeper than {MAX_DEPTH}") from None
    except ValueError as error:
        raise Invalid("not_json", str(error)) from None
    if isinstance(data, float) and "infinity" not in refusal:
        raise Invalid("not_json", refusal)  # a bare NaN
    return data


def _whole(digits: str) -> int | float:
    """As orjson does it: exact within 64 bits, a double beyond."""
    number = int(digits) if len(digits) <= 20 else float(digits)
    return number if -(2**63) <= number < 2**64 else float(number)
