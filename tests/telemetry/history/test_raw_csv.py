"""Raw pages and CSV."""

import csv
import io
from typing import Any

import pytest

from devices.messages import Report
from telemetry import history
from telemetry.stores.base import Store

SECOND = 1_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND
T0 = 1_767_225_600_000_000


def fill(store: Store, count: int, step: int = SECOND, name: str = "t") -> None:
    store.write([Report(1, T0 + index * step, {name: index}, T0) for index in range(count)])


def test_raw_pages(store: Store) -> None:
    fill(store, 5)
    first = history.raw(1, properties=["t"], limit=2)
    assert [row.value for row in first.results] == [4, 3]
    second = history.raw(1, properties=["t"], limit=2, cursor=first.next)
    third = history.raw(1, properties=["t"], limit=2, cursor=second.next)
    assert [row.value for row in second.results + third.results] == [2, 1, 0]
    assert third.next is None


def test_a_full_last_page_has_no_next(store: Store) -> None:
    fill(store, 4)
    assert history.raw(1, limit=4).next is None
    assert history.raw(1, limit=3).next is not None


def test_raw_intervals_are_half_open(store: Store) -> None:
    fill(store, 5)
    page = history.raw(1, start=T0 + SECOND, end=T0 + 3 * SECOND, newest_first=False)
    assert [row.value for row in page.results] == [1, 2]


@pytest.mark.parametrize("far", [-(10**17), 10**17, 10**30, -(10**30)])
def test_buckets_and_raw_beyond_calendars_are_empty(store: Store, far: int) -> None:
    fill(store, 1)
    assert history.buckets(1, properties=["t"], bucket="1y", start=far, end=far + 5).results == []
    assert history.raw(1, properties=["t"], start=far, end=far + 5).results == []
    assert len(history.buckets(1, properties=["t"], bucket="100y", start=-(10**30), end=10**30).results) == 1


def rows(lines: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(lines), newline="")))


def test_csv_has_every_row_and_iso_times(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.history.export.PAGE", 7)
    fill(store, 20, SECOND + 1)
    found = rows(history.csv_lines("dev-1", lambda limit, cursor: history.raw(1, limit=limit, cursor=cursor, newest_first=False)))
    assert found[0] == ["device", "property", "at", "value"]
    assert found[1] == ["dev-1", "t", "2026-01-01T00:00:00.000Z", "0"]
    assert found[2] == ["dev-1", "t", "2026-01-01T00:00:01.000001Z", "1"]
    assert len(found) == 21


def test_csv_of_buckets_and_with_a_limit(store: Store) -> None:
    fill(store, 120)
    ask: dict[str, Any] = {"properties": ["t"], "bucket": "1m", "newest_first": False}
    found = rows(history.csv_lines("d", lambda limit, cursor: history.buckets(1, **ask, limit=limit, cursor=cursor), limit=1))
    assert found[1:] == [["d", "t", "2026-01-01T00:00:00.000Z", "29.5"]]


def test_csv_cells_are_no_formulas(store: Store) -> None:
    hostile = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "fine", 'a"b,c\nd']
    store.write([Report(1, T0 + index, {"=p": text}, T0) for index, text in enumerate(hostile)])
    found = rows(history.csv_lines("-dev", lambda limit, cursor: history.raw(1, limit=limit, cursor=cursor, newest_first=False)))[1:]
    assert {row[0] for row in found} == {"'-dev"} and {row[1] for row in found} == {"'=p"}
    assert [row[3] for row in found] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "'\rx", "fine", 'a"b,c\nd']


def test_csv_of_other_types(store: Store) -> None:
    store.write([Report(1, T0, {"a": -5, "b": True, "c": {"k": [1]}, "d": -0.25}, T0)])
    found = rows(history.csv_lines("d", lambda limit, cursor: history.raw(1, limit=limit, cursor=cursor)))[1:]
    assert [row[3] for row in found] == ["-5", "true", '{"k":[1]}', "-0.25"]
