"""Events and attributes: idempotent, exact about what changed, and no neighbour pays for poison."""

from collections.abc import Sequence
from typing import Any

import pytest

from devices.exceptions import Invalid
from devices.messages import AttributeReport, EventReport
from devices.models import Device
from telemetry import attributes, events
from telemetry.models import Attribute
from telemetry.models.attribute import Scope
from telemetry.stores.base import Verdict
from tests.make import make_device

pytestmark = pytest.mark.django_db
T0 = 1_767_225_600_000_000


@pytest.fixture
def device() -> Device:
    return make_device()


def event(at: int = T0, name: str = "alarm", device_id: int = 1, **params: Any) -> EventReport:
    return EventReport(device_id, at, name, params, T0)


def codes(verdicts: Sequence[Verdict]) -> list[str]:
    return [verdict.code if isinstance(verdict, Invalid) else verdict.value for verdict in verdicts]


def test_events_are_kept_once() -> None:
    batch = [event(level=1, deep={"a": 1, "b": 2}), event(level=1, deep={"b": 2, "a": 1}), event(level=2)]
    assert codes(events.write(batch)) == ["stored", "duplicate", "stored"]
    assert codes(events.write([*batch, event(T0 + 1, level=1)])) == ["duplicate"] * 3 + ["stored"]
    assert events.read(1)[0].params == {"level": 1}
    assert len(events.read(1)) == 3


def test_events_are_read_by_time_and_name() -> None:
    events.write([event(T0 + offset, name) for offset, name in enumerate(["a", "b", "a"])])
    assert [found.name for found in events.read(1)] == ["a", "b", "a"]
    assert len(events.read(1, name="a")) == 2
    assert [found.name for found in events.read(1, start=T0 + 1, end=T0 + 2)] == ["b"]
    assert len(events.read(1, limit=1)) == 1
    assert events.read(2) == []


@pytest.mark.parametrize("poison", ["\0", "\ud800", 2**70])
def test_only_the_poisoned_event_is_refused(poison: Any) -> None:
    batch = [event(T0, level=1), event(T0 + 1, text=poison), event(T0 + 2, level=3)]
    assert codes(events.write(batch)) == ["stored", "store_refused", "stored"]
    assert len(events.read(1)) == 2


def test_no_events_and_no_attributes() -> None:
    assert events.write([]) == []
    assert attributes.write_reported([]) == []


def reported(device: Device) -> dict[str, tuple[Any, int]]:
    return {key: (value, at - T0) for key, (value, at) in attributes.read(device.pk)["reported"].items()}


def test_the_newer_attribute_wins_key_by_key(device: Device) -> None:
    def say(offset: int, **values: Any) -> AttributeReport:
        return AttributeReport(device.pk, T0 + offset, values, T0)

    assert codes(attributes.write_reported([say(10, fw="1", ip="a")])) == ["stored"]
    assert codes(attributes.write_reported([say(5, fw="0", mac="m")])) == ["stored"]
    assert codes(attributes.write_reported([say(6, fw="x"), say(10, fw="1"), say(20, ip="b"), say(20, ip="b")])) == [
        "duplicate",
        "duplicate",
        "stored",
        "duplicate",
    ]
    assert reported(device) == {"fw": ("1", 10), "ip": ("b", 20), "mac": ("m", 5)}


def test_a_deleted_device_costs_its_own_attributes_only(device: Device) -> None:
    batch = [AttributeReport(0, T0, {"a": 1}, T0), AttributeReport(device.pk, T0, {"a": 1}, T0)]
    assert codes(attributes.write_reported(batch)) == ["unknown_device", "stored"]


@pytest.mark.parametrize("poison", [{"a": "\0"}, {"\0": 1}, {"a": "\ud800"}, {"k" * 65: 1}])
def test_only_the_poisoned_attributes_are_refused(device: Device, poison: dict[str, Any]) -> None:
    batch = [AttributeReport(device.pk, T0 + place, values, T0) for place, values in enumerate([{"x": 1}, poison, {"y": 2}])]
    assert codes(attributes.write_reported(batch)) == ["stored", "store_refused", "stored"]
    assert reported(device) == {"x": (1, 0), "y": (2, 2)}


def test_the_server_sets_and_removes_its_own(device: Device) -> None:
    attributes.write_reported([AttributeReport(device.pk, T0, {"fw": 1}, T0)])
    attributes.set_server(device, scope=Scope.SERVER, values={"room": "A", "note": {"x": 1}})
    attributes.set_server(device, scope=Scope.SHARED, values={"room": "B"})
    attributes.set_server(device, scope=Scope.SERVER, values={"note": None, "room": "C"})
    found = attributes.read(device.pk)
    assert {scope: {key: value for key, (value, _) in values.items()} for scope, values in found.items()} == {
        "reported": {"fw": 1},
        "server": {"room": "C"},
        "shared": {"room": "B"},
    }
    with pytest.raises(ValueError, match="alone"):
        attributes.set_server(device, scope=Scope.REPORTED, values={"fw": 2})


def test_they_go_with_their_device(device: Device) -> None:
    attributes.set_server(device, scope=Scope.SERVER, values={"room": "A"})
    device.delete()
    assert not Attribute.objects.exists()
