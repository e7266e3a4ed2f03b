"""Carriers that are open in this process: connections are kept between batches, and closed when idle or out of date."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from iotpanel.registry import UnknownKind
from rules.models import Target
from rules.outside.errors import Gone

from . import CARRIERS
from .base import Carrier

IDLE = 30.0  # seconds
log = structlog.get_logger(__name__)
_lock = threading.Lock()
_idle: dict[int, tuple[float, Carrier]] = {}


@contextmanager
def opened(target: Target) -> Iterator[Carrier]:
    """The target's carrier, for one batch. It is closed where the block raises, else kept. Raises Gone, Down."""
    try:
        kind = CARRIERS[target.kind]
    except UnknownKind as error:
        raise Gone(str(error)) from error
    carrier = _reuse(target.pk, kind.stamp_of(target)) or kind(target)
    try:
        yield carrier
    except BaseException:
        close(carrier)
        raise
    with _lock:
        _idle[target.pk] = (time.monotonic(), carrier)


def is_open(target: Target) -> bool:
    """Whether a carrier was kept open for the target."""
    return target.pk in _idle


def _reuse(pk: int, stamp: object) -> Carrier | None:
    with _lock:
        _, carrier = _idle.pop(pk, (0.0, None))
    if carrier is not None and carrier.stamp != stamp:
        close(carrier)
        return None
    return carrier


def close_idle(idle: float = IDLE) -> None:
    """Close what was not used for a while."""
    with _lock:
        old = [pk for pk, (used, _) in _idle.items() if time.monotonic() - used >= idle]
        carriers = [_idle.pop(pk)[1] for pk in old]
    for carrier in carriers:
        close(carrier)


def close(carrier: Carrier) -> None:
    """Never raises: the other side may be gone already."""
    try:
        carrier.close()
    except Exception as error:
        log.debug("carrier_not_closed", error=repr(error)[:200])
