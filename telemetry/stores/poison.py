"""Finds by halving exactly those items that the database refuses, and writes all the others."""

import struct
from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import DatabaseError

from devices.exceptions import Invalid

from .session import unavailable_unless_refused

# Data that the database refuses (anything else it says is Unavailable by then), or that can't even be encoded.
REFUSED = (DatabaseError, TypeError, ValueError, OverflowError, struct.error)

T = TypeVar("T")
R = TypeVar("R")


def write_around(write: Callable[[Sequence[T]], Sequence[R]], items: Sequence[T]) -> list[R | Invalid]:
    """What `write` said of each item, or Invalid("store_refused") for those it can't write even alone.

    `write` runs in a savepoint of its own, on all of them first. Raises Unavailable.
    """
    if not items:
        return []
    try:
        with unavailable_unless_refused():
            return [*write(items)]
    except REFUSED as error:
        if len(items) == 1:
            return [Invalid("store_refused", str(error).strip().partition("\n")[0])]
    middle = len(items) // 2
    return write_around(write, items[:middle]) + write_around(write, items[middle:])
