"""Rows as a Parquet file: one row group, one plain page for each column, and nothing that a reader could lack. Pure Python.

A column's type is the same from file to file: numbers are doubles, truths booleans, everything else text (objects and
lists, and columns of several kinds, as JSON); whole numbers called `ts` are instants in ms. Every column may be empty.
"""

import gzip
import struct as packing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from .thrift import I64, struct, varint

MAGIC: Final = b"PAR1"
BOOLEAN, INT64, DOUBLE, BYTE_ARRAY = 0, 2, 5, 6
UTF8, TIMESTAMP_MILLIS = 0, 9
PLAIN, RLE = 0, 3
UNCOMPRESSED, GZIP = 0, 2
OPTIONAL = 1
INSTANT: Final = "ts"
Row = Mapping[str, Any]


class Column(NamedTuple):
    """A column, its values in order; None where a row lacks it."""

    name: str
    type: int
    converted: int | None
    values: list[Any]


def parquet(rows: Sequence[Row], *, compressed: bool = False) -> bytes:
    """The file. Columns come in the order in which rows first name them."""
    columns = [_column(name, [row.get(name) for row in rows]) for name in dict.fromkeys(name for row in rows for name in row)]
    body, chunks = bytearray(MAGIC), []
    for column in columns:
        chunk, described = _chunk(column, len(body), compressed)
        body += chunk
        chunks.append(described)
    group = {1: chunks, 2: I64(len(body) - len(MAGIC)), 3: I64(len(rows))}
    root = {4: "schema", 5: len(columns)}
    fields = [{1: column.type, 3: OPTIONAL, 4: column.name, 6: column.converted} for column in columns]
    footer = struct({1: 1, 2: [root, *fields], 3: I64(len(rows)), 4: [group], 6: "iotpanel"})
    return bytes(body) + footer + len(footer).to_bytes(4, "little") + MAGIC


def _column(name: str, values: list[Any]) -> Column:
    kinds = {_kind(value) for value in values if value is not None}
    if kinds == {"truth"}:
        return Column(name, BOOLEAN, None, values)
    if kinds == {"whole"} and name == INSTANT:
        return Column(name, INT64, TIMESTAMP_MILLIS, values)
    if kinds and kinds <= {"whole", "number"}:
        return Column(name, DOUBLE, None, values)
    if kinds <= {"text"}:
        return Column(name, BYTE_ARRAY, UTF8, values)
    return Column(name, BYTE_ARRAY, UTF8, [None if value is None else orjson.dumps(value).decode() for value in values])


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int):
        return "whole" if -(2**63) <= value < 2**63 else "number"
    return {float: "number", str: "text"}.get(type(value), "other")


def _chunk(column: Column, offset: int, compressed: bool) -> tuple[bytes, dict[int, Any]]:
    """A column's bytes, and how the footer describes them."""
    levels = _levels(column.values)
    raw = len(levels).to_bytes(4, "little") + levels + _PACK[column.type]([value for value in column.values if value is not None])
    packed = gzip.compress(raw, mtime=0) if compressed else raw
    page = {1: len(column.values), 2: PLAIN, 3: RLE, 4: RLE}
    header = struct({1: 0, 2: len(raw), 3: len(packed), 5: page})
    described = {
        1: column.type,
        2: [PLAIN, RLE],
        3: [column.name],
        4: GZIP if compressed else UNCOMPRESSED,
        5: I64(len(column.values)),
        6: I64(len(header) + len(raw)),
        7: I64(len(header) + len(packed)),
        9: I64(offset),
    }
    return header + packed, {2: I64(offset), 3: described}


def _levels(values: Sequence[Any]) -> bytes:
    """Which rows have a value, as runs of one bit."""
    found, start = bytearray(), 0
    for place in range(1, len(values) + 1):
        there = values[start] is not None
        if place == len(values) or (values[place] is not None) is not there:
            found += varint((place - start) << 1) + bytes([there])
            start = place
    return bytes(found)


def _bits(values: Sequence[Any]) -> bytes:
    found = bytearray((len(values) + 7) // 8)
    for place, value in enumerate(values):
        found[place // 8] |= bool(value) << place % 8
    return bytes(found)


def _texts(values: Sequence[Any]) -> bytes:
    raws = [value.encode() for value in values]
    return b"".join(len(raw).to_bytes(4, "little") + raw for raw in raws)


_PACK: dict[int, Callable[[Sequence[Any]], bytes]] = {
    BOOLEAN: _bits,
    INT64: lambda values: packing.pack(f"<{len(values)}q", *values),
    DOUBLE: lambda values: packing.pack(f"<{len(values)}d", *values),
    BYTE_ARRAY: _texts,
}
