"""The fragments below `/devices/{key}/parts/`: charts, flags, comparison, events, frames, gaps."""

from typing import Any

import pytest
from django.test import Client

from devices.models import Device
from iotpanel.tenants.models import Tenant, User
from tests import make

from .device_data import make_cold_room, now_ms, report, say, series

PARTS = ["values/", "sparks/", "chart/?property=temperature", "flags/", "compare/", "events/", "frames/", "gaps/"]
HOUR = 3_600_000


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_cold_room(tenant)


@pytest.fixture
def signed_in(client: Client, viewer: User) -> Client:
    client.force_login(viewer)
    return client


def chart(client: Client, device: Device, **query: Any) -> dict[str, Any]:
    answer = client.get(f"/devices/{device.key}/parts/chart/", {"property": "temperature", **query})
    assert answer.status_code == 200
    return dict(answer.json())


@pytest.mark.parametrize("part", PARTS)
def test_a_stranger_gets_404_and_a_viewer_an_answer(client: Client, stranger: User, viewer: User, device: Device, part: str) -> None:
    client.force_login(stranger)
    assert client.get(f"/devices/{device.key}/parts/{part}").status_code == 404
    client.force_login(viewer)
    assert client.get(f"/devices/{device.key}/parts/{part}").status_code == 200


def test_few_readings_are_drawn_one_by_one(signed_in: Client, device: Device) -> None:
    series(device, "temperature", [1.0, 2.0, 4.0])
    line = chart(signed_in, device)
    assert line["kind"] == "numbers"
    assert (line["bucket"], line["source"], line["readings"]) == (0, "raw", 3)
    assert [point[1:] for point in line["points"]] == [[1, 1, 1, 1], [2, 2, 2, 1], [4, 4, 4, 1]]
    assert (line["name"], line["unit"], line["precision"], line["period"], line["max"]) == ("Temperature", "°C", 1, 60, 60)


def test_many_readings_are_drawn_in_buckets_with_their_extremes(signed_in: Client, device: Device) -> None:
    series(device, "temperature", [float(i % 10) for i in range(600)], step=0.5)
    line = chart(signed_in, device, points=50, start=now_ms() - 6 * HOUR, end=now_ms())
    assert line["bucket"] == 600
    assert line["readings"] == sum(point[4] for point in line["points"]) == 600
    assert {(point[2], point[3]) for point in line["points"][1:-1]} == {(0, 9)}
    assert len(line["points"]) <= 51


def test_the_window_is_what_was_asked_for(signed_in: Client, device: Device) -> None:
    series(device, "temperature", [float(i) for i in range(10)])
    end = now_ms() - 5 * 60_000 + 1_000
    line = chart(signed_in, device, start=end - HOUR, end=end)
    assert [point[1] for point in line["points"]] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "query", [{"start": "x"}, {"start": 9e20}, {"end": -1}, {"start": "nan"}, {"points": "99999999999"}, {"start": 2, "end": 1}]
)
def test_nonsense_in_the_address_is_the_usual_day(signed_in: Client, device: Device, query: dict[str, Any]) -> None:
    series(device, "temperature", [1.0, 2.0])
    assert chart(signed_in, device, **query)["readings"] in (0, 2)


@pytest.mark.parametrize("name", ["", "\0", "x" * 300])
def test_a_property_that_cannot_be_is_404(signed_in: Client, device: Device, name: str) -> None:
    assert signed_in.get(f"/devices/{device.key}/parts/chart/", {"property": name}).status_code == 404


def test_a_property_that_never_came_is_empty(signed_in: Client, device: Device) -> None:
    line = chart(signed_in, device, property="nothing")
    assert (line["points"], line["readings"]) == ([], 0)


def test_booleans_and_words_are_states(signed_in: Client, device: Device) -> None:
    series(device, "door", [False] * 5 + [True] * 5 + [False] * 5)
    line = chart(signed_in, device, property="door", points=2000, start=now_ms() - HOUR, end=now_ms())
    assert line["kind"] == "states"
    assert [segment[2] for segment in line["segments"]] == [False, True, False]
    assert line["segments"][0][1] == line["segments"][1][0]
    report(device, {"mode": "idle"})
    assert [segment[2] for segment in chart(signed_in, device, property="mode")["segments"]] == ["idle"]


def test_an_unknown_property_is_drawn_by_its_values(signed_in: Client, device: Device) -> None:
    report(device, {"words": "hello", "level": 5})
    assert chart(signed_in, device, property="words")["kind"] == "states"
    assert chart(signed_in, device, property="level")["kind"] == "numbers"


def test_flags_are_the_events_of_the_window(signed_in: Client, device: Device) -> None:
    say(device, "events/opened", {"ts": now_ms() - 2 * HOUR, "params": {}})
    say(device, "events/opened", {"params": {}})
    found = signed_in.get(f"/devices/{device.key}/parts/flags/", {"start": now_ms() - HOUR, "end": now_ms() + 1000}).json()
    assert [flag["name"] for flag in found["events"]] == ["opened"]


def test_comparison_offers_this_kind_and_tenant_only(signed_in: Client, tenant: Tenant, other_tenant: Tenant, device: Device) -> None:
    twin = make_cold_room(tenant, product=device.product, name="Twin")
    foreign = make_cold_room(other_tenant, name="Twin elsewhere")
    for each in (device, twin, foreign):
        report(each, {"temperature": 1, "humidity": 50, "door": True})
    choices = signed_in.get(f"/devices/{device.key}/parts/compare/", {"property": "temperature", "q": "twin"}).json()["choices"]
    assert {choice["id"] for choice in choices} == {f"{twin.key}:temperature", f"{twin.key}:humidity"}
    choices = signed_in.get(f"/devices/{device.key}/parts/compare/", {"property": "door"}).json()["choices"]
    assert {choice["id"] for choice in choices} == {f"{device.key}:door", f"{twin.key}:door"}


def test_events_come_page_by_page_and_by_name(signed_in: Client, device: Device) -> None:
    for minute in range(60):
        say(device, f"events/{'opened' if minute % 2 else 'closed'}", {"ts": now_ms() - minute * 60_000, "params": {"n": minute}})
    first = signed_in.get(f"/devices/{device.key}/events/")
    assert [event.params["n"] for event, _ in first.context["rows"]] == list(range(50))
    rest = signed_in.get(f"/devices/{device.key}/parts/events/", {"before": first.context["following"]})
    assert [event.params["n"] for event, _ in rest.context["rows"]] == list(range(50, 60))
    assert rest.context["following"] is None
    named = signed_in.get(f"/devices/{device.key}/events/", {"name": "opened"})
    assert {title for _, title in named.context["rows"]} == {"Door opened"}
    assert len(named.context["rows"]) == 30
    assert signed_in.get(f"/devices/{device.key}/events/", {"name": "\0"}).status_code == 200


def test_gaps_are_the_silences_of_the_day(signed_in: Client, device: Device) -> None:
    assert "without a rhythm" in signed_in.get(f"/devices/{device.key}/parts/gaps/").content.decode()
    for minute in [*range(20), *range(80, 100)]:
        report(device, {"temperature": 1}, minutes_ago=minute)
    page = signed_in.get(f"/devices/{device.key}/parts/gaps/")
    [(gap, seconds)] = page.context["gaps"]
    assert 60 * 60 < seconds < 63 * 60
    assert gap.end is not None


def test_frames_say_what_was_recorded(signed_in: Client, device: Device) -> None:
    answer = signed_in.get(f"/devices/{device.key}/parts/frames/")
    assert answer.json() == {"frames": []}


def test_only_reading_is_open_to_get(client: Client, owner: User, tenant: Tenant) -> None:
    device = make.make_device(tenant)
    client.force_login(owner)
    for part in ("attributes/", "replay/"):
        assert client.get(f"/devices/{device.key}/parts/{part}").status_code == 405
    for tab in ("connect/rotate/", "connect/test-device/", "connect/send/"):
        assert client.get(f"/devices/{device.key}/{tab}").status_code == 405
