"""Parquet files, read by a reader of their own that knows the format's description alone."""

import gzip
import hashlib
import struct
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from iotpanel.tenants.models import Tenant
from rules.forwarders.base import Message
from rules.forwarders.parquet import parquet
from rules.forwarders.s3 import S3Forwarder
from rules.outside.errors import Rejected
from tests.rules.fakes import make_forwarder

TYPES = {0: "boolean", 2: "int64", 5: "double", 6: "text"}


class Reader:
    """Thrift's compact protocol, into `{field: value}`."""

    def __init__(self, raw: bytes, at: int = 0) -> None:
        self.raw, self.at = raw, at

    def varint(self) -> int:
        value, shift = 0, 0
        while True:
            byte = self.raw[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def number(self) -> int:
        value = self.varint()
        return value >> 1 if value % 2 == 0 else -(value >> 1) - 1

    def struct(self) -> dict[int, Any]:
        found: dict[int, Any] = {}
        field = 0
        while head := self.raw[self.at]:
            self.at += 1
            field = field + (head >> 4) if head >> 4 else self.number()
            found[field] = self.value(head & 15)
        self.at += 1
        return found

    def value(self, kind: int) -> Any:
        if kind in (5, 6):
            return self.number()
        if kind == 8:
            size = self.varint()
            self.at += size
            return self.raw[self.at - size : self.at].decode()
        if kind == 12:
            return self.struct()
        assert kind == 9
        head = self.raw[self.at]
        self.at += 1
        size = head >> 4 if head >> 4 < 15 else self.varint()
        return [self.value(head & 15) for _ in range(size)]


def read(file: bytes) -> dict[str, tuple[str, list[Any]]]:
    """Columns by name: their type, and their values."""
    assert file[:4] == file[-4:] == b"PAR1"
    size = int.from_bytes(file[-8:-4], "little")
    footer = Reader(file[-8 - size : -8]).struct()
    [group] = footer[4]
    assert footer[2][0][5] == len(footer[2]) - 1 == len(group[1])
    return {chunk[3][3][0]: (TYPES[chunk[3][1]], column(file, chunk[3], footer[3])) for chunk in group[1]}


def column(file: bytes, meta: dict[int, Any], rows: int) -> list[Any]:
    reader = Reader(file, meta[9])
    header = reader.struct()
    page = file[reader.at : reader.at + header[3]]
    assert reader.at + header[3] - meta[9] == meta[7]
    page = gzip.decompress(page) if meta[4] == 2 else page
    assert len(page) == header[2]
    assert header[5][1] == meta[5] == rows
    size = int.from_bytes(page[:4], "little")
    levels, there = Reader(page[4 : 4 + size]), list[int]()
    while levels.at < size:
        run = levels.varint()
        assert run % 2 == 0, "runs only"
        there += [levels.raw[levels.at]] * (run >> 1)
        levels.at += 1
    assert len(there) == rows
    values = iter(plain(meta[1], page[4 + size :], sum(there)))
    return [next(values) if each else None for each in there]


def plain(kind: int, raw: bytes, count: int) -> list[Any]:
    if kind == 0:
        return [bool(raw[place // 8] >> place % 8 & 1) for place in range(count)]
    if kind in (2, 5):
        return list(struct.unpack(f"<{count}{'q' if kind == 2 else 'd'}", raw))
    found, at = [], 0
    for _ in range(count):
        size = int.from_bytes(raw[at : at + 4], "little")
        found.append(raw[at + 4 : at + 4 + size].decode())
        at += 4 + size
    assert at == len(raw)
    return found


ROWS = [
    {"ts": 1_767_225_600_000 + n, "device": f"gerät-{n}", "n": n / 2 if n % 3 else None, "open": bool(n % 2), "mixed": n if n % 2 else "x"}
    for n in range(20)
]


@pytest.mark.parametrize("compressed", [False, True])
def test_what_is_written_is_read_with_its_types(compressed: bool) -> None:
    found = read(parquet([*ROWS, {"late": 5}, {"ts": 1, "empty": None}], compressed=compressed))
    assert {name: kind for name, (kind, _) in found.items()} == {
        "ts": "int64", "device": "text", "n": "double", "open": "boolean", "mixed": "text", "late": "double", "empty": "text",
    }  # fmt: skip
    for name in ("ts", "device", "n", "open"):
        assert found[name][1][:20] == [row[name] for row in ROWS]
    assert found["mixed"][1][:3] == ['"x"', "1", '"x"']
    assert found["ts"][1][20:] == [None, 1]
    assert found["late"][1] == [None] * 20 + [5.0, None]
    assert found["empty"][1] == [None] * 22


def test_types_do_not_depend_on_what_a_batch_happens_to_hold() -> None:
    assert read(parquet([{"n": 1}]))["n"] == ("double", [1.0])
    assert read(parquet([{"n": 2**63}]))["n"] == ("double", [2.0**63])
    assert read(parquet([{"ts": 1.5}]))["ts"] == ("double", [1.5])
    assert read(parquet([{"a": [1], "b": {"c": None}}])) == {"a": ("text", ["[1]"]), "b": ("text", ['{"c":null}'])}


def test_many_columns_rows_and_hostile_names() -> None:
    rows = [{f"column_{n}": n for n in range(40)} | {"x": "\0'\";--" * 100} for _ in range(3_000)]
    found = read(parquet(rows))
    assert len(found) == 41
    assert found["x"][1][-1] == "\0'\";--" * 100


def test_these_bytes_were_read_by_pyarrow() -> None:
    """By its version 26.0.1, which is too heavy to have here: whoever changes them reads them with it again."""
    assert hashlib.sha256(parquet(ROWS)).hexdigest()[:16] == "61ee472b0d460d62"


def messages(*bodies: str) -> list[Message]:
    context = {"tenant": {"key": "home"}, "stream": "readings"}
    return [Message(body, "a", 1_767_225_600_000_000, context) for body in bodies]


def test_an_object_of_s3_is_one_file() -> None:
    settings = {"url": "https://s3.example.org", "bucket": "plant", "access_key": "us", "format": "parquet"}
    adapter = S3Forwarder(settings)
    packed, ending, kind = adapter._packed(messages('{"device": "a", "values": {"n": 1}}', '{"device": "b"}'))
    assert read(packed) == {"device": ("text", ["a", "b"]), "values": ("text", ['{"n": 1}', None])}
    assert (ending, kind) == (".parquet", "application/vnd.apache.parquet")
    assert adapter._name(messages("{}"), packed, ending).startswith("home/readings/2026/01/01/000000.000000-")
    for poison in ("5", "[]", "{}", '{"a b": 1}', "no JSON"):
        with pytest.raises(Rejected):
            adapter._packed(messages(poison))


@pytest.mark.django_db
def test_a_template_that_makes_no_object_is_refused(tenant: Tenant) -> None:
    settings = {"url": "https://s3.example.org", "bucket": "plant", "access_key": "us"}
    with pytest.raises(ValidationError) as refused:
        make_forwarder(tenant, kind="s3", settings={**settings, "format": "parquet"}, template="{{ device.key }}")
    assert "template" in refused.value.message_dict
    assert make_forwarder(tenant, kind="s3", settings=settings, template="{{ device.key }}").pk
    with pytest.raises(ValidationError):
        make_forwarder(tenant, kind="s3", settings={**settings, "format": "orc"})
