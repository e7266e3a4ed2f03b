"""Newest values, history, events, attributes and frames of a device by REST."""

import csv
import io
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from devices.messages import Uplink
from devices.models import Device
from iotpanel.tenants.models import Tenant, User
from telemetry.uplink.memory import memory
from telemetry.uplink.pipeline import process
from tests.make import make_device, make_product
from tests.rest import Rest, refused, results

NOON = 1_767_268_800_000  # 2026-01-01 12:00 UTC in milliseconds
HOUR = 3_600_000


@pytest.fixture
def device(tenant: Tenant) -> Device:
    memory().forget()
    return make_device(tenant, key="room-1", product=make_product(tenant, key="climate"))


def say(device: Device, kind: str, body: Any) -> None:
    """The device says this now."""
    outcome = process([Uplink(f"devices/{device.key}/up/{kind}", orjson.dumps(body), NOON * 1000)])
    assert not outcome.letters, outcome.letters


def report(device: Device, *values: Any) -> None:
    """One temperature per hour from noon on."""
    say(device, "telemetry", [{"ts": NOON + number * HOUR, "values": {"temperature": value}} for number, value in enumerate(values)])


def test_latest_gives_the_newest_value_of_each_property(owner: User, device: Device) -> None:
    report(device, 20, 21.5)
    say(device, "telemetry", {"ts": NOON, "values": {"on": True, "text": "é", "json": {"a": [1]}}})
    shown = Rest(owner).get("devices/room-1/latest/").json()
    assert shown == {
        "json": {"value": {"a": [1]}, "ts": NOON},
        "on": {"value": True, "ts": NOON},
        "temperature": {"value": 21.5, "ts": NOON + HOUR},
        "text": {"value": "é", "ts": NOON},
    }
    assert set(Rest(owner).get("devices/room-1/latest/", property=["on", "text", "nothing"]).json()) == {"on", "text"}


def test_a_device_that_said_nothing_has_nothing(owner: User, device: Device) -> None:
    api = Rest(owner)
    assert api.get("devices/room-1/latest/").json() == {}
    for part in ("readings", "events", "frames"):
        assert results(api.get(f"devices/room-1/{part}/")) == []


def test_raw_readings_newest_first_by_pages(owner: User, device: Device) -> None:
    report(device, 1, 2, 3)
    api = Rest(owner)
    first = api.get("devices/room-1/readings/", property="temperature", limit=2).json()
    assert [row["value"] for row in first["results"]] == [3, 2]
    assert first["results"][0] == {"property": "temperature", "ts": NOON + 2 * HOUR, "value": 3}
    rest = api.get("devices/room-1/readings/", property="temperature", limit=2, cursor=first["next"]).json()
    assert ([row["value"] for row in rest["results"]], rest["next"]) == ([1], None)
    assert [row["value"] for row in results(api.get("devices/room-1/readings/", property="temperature", order="at"))] == [1, 2, 3]


def test_an_interval_holds_its_start_and_not_its_end(owner: User, device: Device) -> None:
    report(device, 1, 2, 3)
    for start, end in ((NOON, NOON + HOUR), ("2026-01-01T12:00:00Z", "2026-01-01T14:00:00+01:00")):
        rows = results(Rest(owner).get("devices/room-1/readings/", property="temperature", start=start, end=end))
        assert [row["value"] for row in rows] == [1]


def test_buckets_aggregate(owner: User, device: Device) -> None:
    report(device, 1, 2, 6)
    api, query = Rest(owner), {"property": "temperature", "bucket": "1d"}
    assert results(api.get("devices/room-1/readings/", **query)) == [
        {"property": "temperature", "ts": NOON - 12 * HOUR, "value": 3, "count": 3},
    ]
    for name, value in {"min": 1, "max": 6, "sum": 9, "count": 3, "first": 1, "last": 6, "delta": 5}.items():
        assert [row["value"] for row in results(api.get("devices/room-1/readings/", aggregate=name, **query))] == [value]


def test_days_begin_where_one_lives_and_gaps_are_filled(owner: User, device: Device) -> None:
    report(device, 1, 2)
    query = {"property": "temperature", "bucket": "1h", "fill": "null", "order": "at", "tz": "Asia/Kolkata"}
    rows = results(Rest(owner).get("devices/room-1/readings/", start=NOON - HOUR, end=NOON + 2 * HOUR, **query))
    assert [row["value"] for row in rows] == [None, 1, 2] or [row["value"] for row in rows] == [None, 1, 2, None]
    assert (rows[1]["ts"] - NOON) % HOUR == HOUR // 2


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"bucket": "fortnight"}, "bucket"),
        ({"bucket": "1h"}, "property"),
        ({"bucket": "1h", "property": [f"p{number}" for number in range(21)]}, "property"),
        ({"bucket": "1h", "property": "t", "aggregate": "median"}, "aggregate"),
        ({"bucket": "1h", "property": "t", "tz": "Mars/Olympus"}, "tz"),
        ({"bucket": "1h", "property": "t", "tz": "../../etc/passwd"}, "tz"),
        ({"bucket": "1h", "property": "t", "fill": "zero"}, "fill"),
        ({"property": "t", "fill": "null"}, "fill"),
        ({"property": "t", "aggregate": "max"}, "aggregate"),
        ({"start": "yesterday"}, "start"),
        ({"start": "2026-01-01T00:00:00"}, "start"),
        ({"end": "99999-01-01"}, "end"),
        ({"start": "9" * 30}, "start"),
        ({"limit": "-1"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"format": "xml"}, "format"),
        ({"format": "csv", "bucket": "1h"}, "property"),
    ],
)
def test_what_is_wrong_with_the_question_is_named(owner: User, device: Device, query: dict[str, Any], field: str) -> None:
    assert set(refused(Rest(owner).get("devices/room-1/readings/", **query), 400, "invalid")) == {field}


def test_csv_streams_all_of_it_and_is_safe_in_a_spreadsheet(owner: User, device: Device) -> None:
    report(device, 1, 2.5)
    say(device, "telemetry", {"ts": NOON, "values": {"=cmd|' /C calc'!A0": "@SUM(1)"}})
    answer = Rest(owner).get("devices/room-1/readings/", format="csv", order="at")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="room-1-readings.csv"'
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode())))
    assert rows[0] == ["device", "property", "at", "value"]
    assert ["room-1", "temperature", "2026-01-01T13:00:00.000Z", "2.5"] in rows
    assert ["room-1", "'=cmd|' /C calc'!A0", "2026-01-01T12:00:00.000Z", "'@SUM(1)"] in rows
    limited = Rest(owner).get("devices/room-1/readings/", format="csv", limit=1, property="temperature").getvalue().decode()
    assert len(limited.splitlines()) == 2


def test_events_by_time(owner: User, device: Device) -> None:
    for number in range(3):
        say(device, "events/door", {"ts": NOON + number * HOUR, "params": {"open": number}})
    say(device, "events/alarm", {"ts": NOON, "params": {}})
    api = Rest(owner)
    first = api.get("devices/room-1/events/", limit=2).json()
    assert [(row["name"], row["ts"], row["params"]) for row in first["results"]] == [
        ("door", NOON + 2 * HOUR, {"open": 2}),
        ("door", NOON + HOUR, {"open": 1}),
    ]
    rest = api.get("devices/room-1/events/", limit=2, cursor=first["next"]).json()
    assert ([row["name"] for row in rest["results"]], rest["next"]) == (["door", "alarm"], None)
    assert [row["ts"] for row in results(api.get("devices/room-1/events/", name="door", order="at"))] == [
        NOON,
        NOON + HOUR,
        NOON + 2 * HOUR,
    ]
    assert len(results(api.get("devices/room-1/events/", start=NOON, end=NOON + 1))) == 2
    for cursor in ("x", "W10", "WzEsMiwzXQ", "WyIyMDI2LTAxLTAxIiwiYSIsIjAwIl0"):
        refused(api.get("devices/room-1/events/", cursor=cursor), 400, "invalid")


def test_a_page_of_large_events_ends_early(owner: User, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.api.budget.PAGE_BYTES", 2_500)
    for number in range(5):
        say(device, "events/door", {"ts": NOON + number, "params": {"text": "x" * 1_000}})
    api, pages, cursor = Rest(owner), [], ""
    while True:
        page = api.get("devices/room-1/events/", order="at", cursor=cursor).json()
        pages.append([row["ts"] - NOON for row in page["results"]])
        if not (cursor := page["next"]):
            break
    assert pages == [[0, 1], [2, 3], [4]]


def test_attributes_are_reported_by_the_device_and_set_by_us(owner: User, device: Device) -> None:
    say(device, "attributes", {"ts": NOON, "values": {"firmware": "1.2"}})
    api = Rest(owner)
    shown = api.patch("devices/room-1/attributes/", {"server": {"site": "Berlin", "x": 1}, "shared": {"interval": 60}}).json()
    assert (shown["reported"], shown["server"], shown["shared"]) == ({"firmware": "1.2"}, {"site": "Berlin", "x": 1}, {"interval": 60})
    assert shown["ts"]["reported"] == {"firmware": NOON}
    api.patch("devices/room-1/attributes/", {"server": {"x": None, "site": "Rome"}})
    shown = api.get("devices/room-1/attributes/").json()
    assert (shown["server"], shown["shared"]) == ({"site": "Rome"}, {"interval": 60})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"server": []}, "server"),
        ({"shared": {"": 1}}, "shared"),
        ({"shared": {"x" * 65: 1}}, "shared"),
        ({"server": {"a\nb": 1}}, "server"),
        ({"server": {"a": "x" * 70_000}}, "server"),
        ({"server": {f"a{number}": 1 for number in range(1_001)}}, "server"),
    ],
)
def test_attributes_have_bounds(owner: User, device: Device, body: dict[str, Any], field: str) -> None:
    assert set(refused(Rest(owner).patch("devices/room-1/attributes/", body), 400, "invalid")) == {field}
    assert Rest(owner).get("devices/room-1/attributes/").json()["server"] == {}


def test_frames_are_recorded_from_the_first_look_on(owner: User, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    watched: list[Device] = []
    frame = {"direction": "up", "topic": "t", "payload_base64": "", "size": 0, "ts": NOON, "verdict": "stored", "detail": ""}
    monkeypatch.setattr("telemetry.frames.watch", watched.append)
    monkeypatch.setattr("telemetry.frames.newest", lambda device, limit: [frame] * min(limit, 3))
    assert results(Rest(owner).get("devices/room-1/frames/", limit=2)) == [frame] * 2
    assert watched == [device]


def test_without_valkey_frames_are_unavailable(owner: User, device: Device, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = Rest(owner).get("devices/room-1/frames/")
    refused(answer, 503, "unavailable")
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize("part", ["latest", "readings", "events", "attributes", "frames"])
def test_a_viewer_reads_and_a_stranger_sees_nothing(viewer: User, stranger: User, device: Device, part: str) -> None:
    assert Rest(viewer).get(f"devices/room-1/{part}/").status_code == 200
    refused(Rest(stranger).get(f"devices/room-1/{part}/"), 404, "not_found")


def test_only_admins_set_attributes(viewer: User, stranger: User, device: Device) -> None:
    refused(Rest(viewer).patch("devices/room-1/attributes/", {"server": {"a": 1}}), 403, "permission_denied")
    refused(Rest(stranger).patch("devices/room-1/attributes/", {"server": {"a": 1}}), 404, "not_found")


def test_times_are_kept_to_the_microsecond(owner: User, device: Device) -> None:
    at = datetime(2026, 1, 1, 12, 0, 0, 123_456, tzinfo=UTC)
    say(device, "telemetry", {"ts": at.isoformat(), "values": {"t": 1}})
    assert Rest(owner).get("devices/room-1/latest/").json()["t"]["ts"] == NOON + 123.456
