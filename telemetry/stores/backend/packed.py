"""Whole columns as PostgreSQL's binary arrays, packed by hand.

A batch sends thousands of values; the driver would look at each of them to find its type. These columns have one
type each, so a single `struct.pack` does (layout: `array_send` in PostgreSQL's arrayfuncs.c).
"""

import struct
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain, repeat
from typing import Any, ClassVar

from psycopg.adapt import Dumper
from psycopg.pq import Format

# PostgreSQL counts from 2000-01-01, we from 1970-01-01; both in microseconds.
EPOCH_2000 = 946_684_800_000_000
_HEAD = struct.Struct(">iiIii")  # dimensions, has nulls, type of an element, length, lower bound

_EIGHT = struct.Struct(">q")
_SIZE = struct.Struct(">I")
_JSON = struct.Struct(">IB")


class Packed(bytes):
    """The binary form of a value; its class names the type."""

    oid: ClassVar[int]


class BigInts(Packed):
    oid = 1016


class Moment(Packed):
    oid = 1184


class Instants(Packed):
    oid = 1185


class Jsons(Packed):
    oid = 3807


class Texts(Packed):
    oid = 1009


class Blobs(Packed):
    oid = 1001


@lru_cache(maxsize=256)
def _numbers(count: int) -> struct.Struct:
    return struct.Struct(">" + "iq" * count)


def _eights(element: int, numbers: Sequence[int]) -> bytes:
    cells = [8] * (2 * len(numbers))
    cells[1::2] = numbers
    return _HEAD.pack(1, 0, element, len(numbers), 1) + _numbers(len(numbers)).pack(*cells)


def bigints(numbers: Sequence[int]) -> BigInts:
    """A `bigint[]`; raises struct.error beyond 64 bits."""
    return BigInts(_eights(20, numbers))


def moment(at: int) -> Moment:
    """One `timestamptz` from µs since 1970."""
    return Moment(_EIGHT.pack(at - EPOCH_2000))


def instants(microseconds: Sequence[int]) -> Instants:
    """A `timestamptz[]` from µs since 1970."""
    return Instants(_eights(1184, [at - EPOCH_2000 for at in microseconds]))


def _strings(element: int, values: Sequence[bytes]) -> bytes:
    sizes = map(_SIZE.pack, map(len, values))
    return b"".join([_HEAD.pack(1, 0, element, len(values), 1), *chain.from_iterable(zip(sizes, values, strict=True))])


def jsons(documents: Sequence[bytes]) -> Jsons:
    """A `jsonb[]` from JSON texts."""
    heads = map(_JSON.pack, [len(document) + 1 for document in documents], repeat(1))  # 1 is the version of jsonb
    return Jsons(b"".join([_HEAD.pack(1, 0, 3802, len(documents), 1), *chain.from_iterable(zip(heads, documents, strict=True))]))


def texts(values: Sequence[str]) -> Texts:
    """A `text[]`; raises UnicodeEncodeError for lone surrogates."""
    return Texts(_strings(25, [value.encode() for value in values]))


def documents(values: Sequence[bytes]) -> Texts:
    """A `text[]` of what is UTF-8 already, such as JSON that the server is to look at later."""
    return Texts(_strings(25, values))


def blobs(values: Sequence[bytes]) -> Blobs:
    """A `bytea[]`."""
    return Blobs(_strings(17, values))


class _PackedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        return bytes(obj)


def _dumper(packed: type[Packed]) -> type[Dumper]:
    return type(f"{packed.__name__}Dumper", (_PackedDumper,), {"oid": packed.oid})


_DUMPERS = [(packed, _dumper(packed)) for packed in (BigInts, Moment, Instants, Jsons, Texts, Blobs)]


def register(connection: Any) -> None:
    """Teach a psycopg connection to send these arrays."""
    for packed, dumper in _DUMPERS:
        connection.adapters.register_dumper(packed, dumper)
