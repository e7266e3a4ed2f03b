"""What the rest of the project calls: frames through a script's `decode`, a command through its `encode`.

All of these return or raise; none of them lets a script harm the caller.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from devices.codecs.json import split_value
from devices.exceptions import Invalid
from devices.messages import Decoded, Frame, Sample
from devices.timestamps import EPOCH, MICROSECONDS_FROM, NANOSECONDS_FROM

from .limits import FRAME_BYTES, SCRIPT_BYTES
from .pool import shared
from .wire import Outcome

POSITION = re.compile(r"^codec:(\d+): ")


def decode(script: str, frames: Sequence[Frame]) -> list[Decoded | Invalid]:
    """One answer per frame, in order. Raises Unavailable where no sandbox process can be started."""
    small = [frame for frame in frames if len(frame.payload) <= FRAME_BYTES]
    outcomes = iter(shared().run("decode", source_of(script), [arguments(frame) for frame in small]))
    return [_decoded(next(outcomes)) if len(frame.payload) <= FRAME_BYTES else too_large(frame) for frame in frames]


def encode(script: str, command: dict[str, Any]) -> bytes:
    """The bytes that the script makes of a command (`name`, `params`, `id`); raises Invalid."""
    outcome = shared().run("encode", source_of(script), [(orjson.dumps(command),)])[0]
    if outcome.word != "ok":
        raise Invalid(outcome.word, detail_of(outcome))
    return outcome.body


def compile_error(script: str) -> str | None:
    """Why the script can't be used, with its line; None where it can. Its top level is run once."""
    source = source_of(script)
    if len(source) > SCRIPT_BYTES:
        return f"the script has {len(source)} bytes, at most {SCRIPT_BYTES}"
    outcome = shared().run_within(1.0, "check", source, [()])[0]
    return None if outcome.word == "ok" else detail_of(outcome)


def source_of(script: str) -> bytes:
    return script.encode(errors="replace")  # a lone surrogate is then a syntax error with its line


def arguments(frame: Frame) -> tuple[Any, ...]:
    """A frame as the sandbox takes it: nothing but bytes, whole numbers and None."""
    return (
        frame.payload,
        frame.topic.encode(),
        frame.device.encode(),
        frame.product.encode(),
        frame.port,
        frame.received_at // 1000,
    )


def too_large(frame: Frame) -> Invalid:
    return Invalid("too_large", f"a frame of {len(frame.payload)} bytes, at most {FRAME_BYTES}")


def samples_of(outcome: Outcome) -> list[Sample]:
    """The samples that a script returned, `ts` still in its milliseconds; raises Invalid."""
    if outcome.word != "ok":
        raise Invalid(outcome.word, detail_of(outcome))
    data = orjson.loads(outcome.body)
    if type(data) is dict and data and "ts" not in data and "values" not in data:
        return [Sample(None, data)]  # what nearly every script returns
    samples = []
    for found in split_value(data):
        if isinstance(found, Invalid):
            raise Invalid("codec_result", found.detail)
        if found.ts is not None and (isinstance(found.ts, bool) or not isinstance(found.ts, int | float)):
            raise Invalid("codec_result", "`ts` is no number of milliseconds")
        samples.append(found)
    return samples


def log_of(outcome: Outcome) -> list[str]:
    return outcome.log.decode(errors="replace").split("\n") if outcome.log else []


def detail_of(outcome: Outcome) -> str:
    return POSITION.sub(r"line \1: ", outcome.body.decode(errors="replace"))


def _decoded(outcome: Outcome) -> Decoded | Invalid:
    try:
        samples = samples_of(outcome)
    except Invalid as error:
        return error
    timed = [sample if sample.ts is None else Sample(_unambiguous(sample.ts), sample.values) for sample in samples]
    return Decoded(timed, log_of(outcome))


def _unambiguous(milliseconds: float) -> Any:
    """The same instant in a form that `parse_ts` reads as nothing else.

    A script's `ts` is always milliseconds, but `parse_ts` tells the unit by the size: microseconds where they are
    large enough to be read as such, else the text of the instant.
    """
    at = round(milliseconds * 1000)
    if MICROSECONDS_FROM <= at < NANOSECONDS_FROM:
        return at
    try:
        return (EPOCH + timedelta(microseconds=at)).isoformat()
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC).isoformat()
