"""The worst open alarm of a device: in the list, in the fleet's cells, above its page, and nobody else's."""

from datetime import timedelta

import pytest
from django.utils import timezone

from devices.models import Device
from iotpanel.pages.alarms.worst import Worst, by_severity, worst
from iotpanel.pages.overview import fleet
from iotpanel.tenants.models import Tenant, User
from rules.models import Severity
from tests import make
from tests.pages.people import browser, words
from tests.pages.test_alarms import an_alarm

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make.make_device(tenant, key="room", name="Room 2", product=make.make_product(tenant, key="cold"))


def test_the_worst_counts_and_of_two_the_one_that_nobody_looks_after(tenant: Tenant, device: Device) -> None:
    now = timezone.now()
    an_alarm(device, severity="minor")
    an_alarm(device, severity="major", acknowledged_at=now)
    assert worst(tenant) == {device.pk: Worst(Severity.MAJOR, seen=True)}

    an_alarm(device, severity="major")
    an_alarm(device, severity="critical", shelved_until=now + timedelta(hours=1))
    an_alarm(device, severity="critical", active=False, cleared_at=now)
    assert worst(tenant, [device.pk]) == {device.pk: Worst(Severity.MAJOR, seen=False)}
    assert worst(tenant, []) == {}
    assert by_severity(tenant) == [(Severity.MAJOR, 2), (Severity.MINOR, 1)]


def test_pages_of_devices_show_it(tenant: Tenant, viewer: User, device: Device) -> None:
    make.make_device(tenant, key="calm", name="Calm room", product=device.product)
    an_alarm(device, severity="critical", message=HOSTILE)
    client = browser(viewer)

    assert fleet.cells(tenant, 2)["cold"] == [
        ["/devices/calm/", "Calm room", "never", ""],
        ["/devices/room/", "Room 2", "never", "critical"],
    ]
    assert "Active alarms 1 critical 1" in words(client.get("/").content)
    listed = words(client.get("/devices/?view=alarm").content)
    assert "Room 2" in listed
    assert "Calm room" not in listed
    page = client.get("/devices/room/").content.decode()
    assert 'class="notice" data-tone="critical"' in page
    assert HOSTILE not in page


def test_a_strangers_pages_know_nothing_of_it(other_tenant: Tenant, stranger: User, device: Device) -> None:
    make.make_device(other_tenant, key="theirs")
    an_alarm(device, severity="critical")
    client = browser(stranger)

    assert worst(other_tenant) == {}
    assert "Active alarms 0" in words(client.get("/").content)
    assert "No device is like that" in words(client.get("/devices/?view=alarm").content)
