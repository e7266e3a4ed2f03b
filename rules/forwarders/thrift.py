"""Thrift's compact protocol, as far as the footers of Parquet need it: structs as `{field id: value}`. Pure Python."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12
Fields = Mapping[int, Any]


class I64(NamedTuple):
    """A whole number that is written as one of 64 bits; a plain int is one of 32."""

    value: int


def struct(fields: Fields) -> bytes:
    """The struct's bytes. Values are int, I64, str, dicts (structs), and lists of one of these; what is None is left out."""
    found, before = bytearray(), 0
    for number, value in sorted(fields.items()):
        if value is None:
            continue
        delta = number - before
        kind = _kind(value)
        found += bytes([delta << 4 | kind]) if delta < 16 else bytes([kind]) + varint(_zigzag(number))
        found += _value(value)
        before = number
    return bytes(found) + b"\0"


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _kind(value: Any) -> int:
    if isinstance(value, I64):
        return _I64
    if isinstance(value, int):
        return _I32
    if isinstance(value, str):
        return _BINARY
    return _STRUCT if isinstance(value, Mapping) else _LIST


def _value(value: Any) -> bytes:
    if isinstance(value, I64):
        return varint(_zigzag(value.value))
    if isinstance(value, int):
        return varint(_zigzag(value))
    if isinstance(value, str):
        raw = value.encode()
        return varint(len(raw)) + raw
    if isinstance(value, Mapping):
        return struct(value)
    return _items(value)


def _items(items: Sequence[Any]) -> bytes:
    kind = _kind(items[0])
    size = bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([0xF0 | kind]) + varint(len(items))
    return size + b"".join(map(_value, items))
