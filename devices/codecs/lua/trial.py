"""Trying a script out: what a person sees before saving it. Nothing is stored and nothing is remembered."""

from collections.abc import Sequence
from typing import Any

from devices.exceptions import Invalid
from devices.messages import Frame

from .limits import FRAME_BYTES, TRIAL_SECONDS
from .pool import shared
from .scripts import arguments, log_of, samples_of, source_of, too_large
from .wire import Outcome

Answer = dict[str, Any]


def try_out(script: str, frames: Sequence[Frame]) -> list[Answer]:
    """One answer per frame, as the contract's codec test gives it, within two seconds altogether.

    `{"reports": [{"ts": ms or None, "values": {...}}], "log": [...]}`, or `{"error": {"code", "message"}, "log"}`.
    """
    small = [frame for frame in frames if len(frame.payload) <= FRAME_BYTES]
    outcomes = iter(shared().run_within(TRIAL_SECONDS, "decode", source_of(script), [arguments(frame) for frame in small]))
    return [_answer(next(outcomes)) if len(frame.payload) <= FRAME_BYTES else _error(too_large(frame), []) for frame in frames]


def _answer(outcome: Outcome) -> Answer:
    log = log_of(outcome)
    try:
        samples = samples_of(outcome)
    except Invalid as error:
        return _error(error, log)
    return {"reports": [{"ts": sample.ts, "values": sample.values} for sample in samples], "log": log}


def _error(error: Invalid, log: list[str]) -> Answer:
    return {"error": {"code": error.code, "message": error.detail}, "log": log}
