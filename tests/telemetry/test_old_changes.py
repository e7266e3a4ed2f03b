"""What is noted of presence and attributes: changes alone, for as long as they are kept, and never past their device."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from devices import presence, presence_history
from devices.messages import AttributeReport, Presence
from devices.models import DevicePresence, PresenceChange
from devices.timestamps import to_datetime
from iotpanel.tenants.models import Tenant
from telemetry import attribute_history, attributes, erasure, old_changes
from telemetry.models import AttributeChange
from telemetry.models.attribute import Scope
from telemetry.pruning import Deadline
from tests.make import make_device

pytestmark = pytest.mark.django_db
SECOND = 1_000_000
DAY = 86_400 * SECOND
NOW = time.time_ns() // 10**9 * SECOND


def changes(device_id: int) -> list[tuple[int, bool]]:
    return list(presence_history.between(device_id, 0, NOW + DAY, 100))


def came(device_id: int, *words: tuple[int, bool]) -> None:
    for at, online in words:
        presence.apply([Presence(device_id, online, at, "status")])


def test_presence_is_noted_where_it_changes_alone(tenant: Tenant) -> None:
    device = make_device(tenant)
    came(device.pk, (NOW, True), (NOW + 1, True), (NOW + 2, False), (NOW + 3, False), (NOW - 9, True))
    assert changes(device.pk) == [(NOW, True), (NOW + 2, False)]
    assert [presence_history.standing(device.pk, at) for at in (NOW, NOW + 1, NOW + 2, NOW + 3)] == [None, True, True, False]
    DevicePresence.objects.filter(pk=device.pk).update(online=True, last_seen=timezone.now() - timedelta(days=9))
    presence.sweep_silent(timezone.now() - timedelta(days=10))
    assert [row.cause for row in PresenceChange.objects.filter(device_id=device.pk)][-1] == "silence"


def test_attributes_are_noted_where_they_change_alone(tenant: Tenant) -> None:
    device = make_device(tenant)
    said: list[tuple[int, dict[str, Any]]] = [
        (0, {"fw": 1, "mode": "a"}),
        (1, {"fw": 1.0}),
        (2, {"fw": 2}),
        (1, {"fw": 7}),
        (3, {"fw": True}),
    ]
    attributes.write_reported([AttributeReport(device.pk, NOW + at, values, NOW) for at, values in said])
    for values in ({"room": "A"}, {"room": "A"}, {"room": None}, {"room": None}):
        attributes.set_server(device, scope=Scope.SERVER, values=values, at=to_datetime(NOW + 5))
    found = [(at - NOW, scope, values) for at, scope, values in attribute_history.between(device.pk, 0, NOW + DAY, None, 100)]
    assert found == [
        (0, "reported", {"fw": 1, "mode": "a"}),
        (2, "reported", {"fw": 2}),
        (3, "reported", {"fw": True}),
        (5, "server", {"room": None}),
    ]
    assert attribute_history.standing(device.pk, NOW + 3, {"fw"}) == {"reported": {"fw": 2}}
    assert attribute_history.standing(device.pk, NOW + 6, None) == {"reported": {"fw": True, "mode": "a"}, "server": {"room": None}}
    assert attribute_history.standing(device.pk, NOW, None) == {}


def test_what_held_when_the_kept_time_begins_stays(tenant: Tenant, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CHANGE_DAYS = 10
    device, busy = make_device(tenant), make_device(tenant, key="busy")
    came(device.pk, (NOW - 30 * DAY, True), (NOW - 20 * DAY, False), (NOW - 15 * DAY, True), (NOW - 5 * DAY, False))
    reports: list[tuple[int, dict[str, Any]]] = [(30, {"fw": 1, "mode": "a"}), (20, {"fw": 2}), (15, {"fw": 3}), (5, {"fw": 4})]
    attributes.write_reported([AttributeReport(device.pk, NOW - days * DAY, values, NOW) for days, values in reports])
    drop = lambda: old_changes.drop(now=to_datetime(NOW), deadline=Deadline(30))  # noqa: E731 - said four times
    assert drop() == 2 + 2
    assert changes(device.pk) == [(NOW - 15 * DAY, True), (NOW - 5 * DAY, False)]
    assert attribute_history.standing(device.pk, NOW - 10 * DAY, None) == {"reported": {"fw": 3, "mode": "a"}}
    came(busy.pk, *((NOW + number, number % 2 == 0) for number in range(7)))
    monkeypatch.setattr(old_changes, "MOST_OF_A_DEVICE", 4)
    assert drop() == 3
    assert [at - NOW for at, _ in changes(busy.pk)] == [3, 4, 5, 6]
    assert drop() == 0


def test_they_go_with_their_device(tenant: Tenant) -> None:
    device, other = make_device(tenant), make_device(tenant, key="other")
    for each in (device, other):
        came(each.pk, (NOW, True))
        attributes.set_server(each, scope=Scope.SERVER, values={"room": "A"})
    device.delete()
    erasure.run()
    assert set(PresenceChange.objects.values_list("device_id", flat=True)) == {other.pk}
    assert set(AttributeChange.objects.values_list("device_id", flat=True)) == {other.pk}
