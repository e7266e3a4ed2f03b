"""Which commands go now, and what becomes of those that do not."""

from collections.abc import Collection
from datetime import timedelta

import pytest
from django.utils import timezone

from devices.downlink import claims
from devices.models import Command, Device, DevicePresence
from iotpanel.tenants.models import Tenant
from tests.make import WITH_COMMANDS, make_command, make_device, make_product


@pytest.fixture
def device(tenant: Tenant) -> Device:
    found = make_device(product=make_product(tenant, thing_model=WITH_COMMANDS), key="valve")
    come(found)
    return found


def come(device: Device, online: bool = True) -> None:
    DevicePresence.objects.filter(device=device).update(online=online, last_seen=timezone.now())


def ready(device: Device, heard: Collection[int] = ()) -> list[int]:
    return [each.id for each in claims.ready([device.pk], heard, timezone.now()) if each.there]


def test_one_at_a_time_in_their_order(device: Device) -> None:
    first, second = make_command(device), make_command(device)

    assert ready(device) == [first.pk]
    claims.claim([first.pk], timezone.now())
    assert ready(device) == []
    Command.objects.filter(pk=first.pk).update(in_flight=False, finished_at=timezone.now())
    assert ready(device) == [second.pk]


def test_a_product_can_allow_more_at_once(device: Device) -> None:
    device.product.command_window = 2
    device.product.save()
    made = [make_command(device).pk for _ in range(3)]

    assert ready(device) == made[:2]
    claims.claim(made[:1], timezone.now())
    assert ready(device) == made[1:2]


def test_the_urgent_one_goes_first(device: Device) -> None:
    make_command(device)
    urgent = make_command(device, priority=5)

    assert ready(device) == [urgent.pk]


def test_one_that_waits_for_another_attempt_holds_the_others_back(device: Device) -> None:
    first, second = make_command(device), make_command(device)
    claims.put_off([first.pk], claims.later(timezone.now(), 60), "retry", untried=True)

    assert ready(device) == []
    Command.objects.filter(pk=first.pk).delete()
    assert ready(device) == [second.pk]


def test_a_device_that_is_away_keeps_its_commands_until_it_comes(device: Device) -> None:
    come(device, online=False)
    made = make_command(device)
    assert ready(device) == []

    claims.park([device.pk])
    made.refresh_from_db()
    assert (made.waits, made.due_at) == ("device", made.expires_at)
    assert claims.due_devices(timezone.now()) == set()
    come(device)
    assert ready(device) == []
    assert ready(device, heard=[device.pk]) == [made.pk]
    assert claims.waited_for() == {device.pk}


def test_a_disabled_device_gets_nothing(device: Device) -> None:
    make_command(device)
    Device.objects.filter(pk=device.pk).update(enabled=False)

    assert ready(device) == []


def test_what_has_expired_is_not_sent_any_more(device: Device) -> None:
    made = make_command(device)
    Command.objects.filter(pk=made.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    assert ready(device) == []


def test_a_child_that_was_never_heard_may_still_listen(device: Device) -> None:
    child = make_device(product=device.product, parent=device)
    made = make_command(child)

    assert ready(child) == [made.pk]
    assert claims.gateways_of({device.pk}) == {device.pk: ("valve", None)}


def test_the_broker_has_it_is_no_success(device: Device) -> None:
    made, one_way = make_command(device), make_command(device, name="beep")
    now = timezone.now()
    claims.claim([made.pk, one_way.pk], now)
    claims.mark_sent([made.pk, one_way.pk], now)

    made.refresh_from_db()
    one_way.refresh_from_db()
    assert (made.state, made.final, made.in_flight, made.sent_at) == ("sent", False, True, now)
    assert made.due_at == now + timedelta(seconds=made.timeout)
    assert (one_way.state, one_way.final, one_way.in_flight) == ("sent", True, False)  # nobody will ever know more


def test_what_reached_nobody_was_no_attempt(device: Device) -> None:
    made = make_command(device)
    claims.claim([made.pk], timezone.now())
    claims.put_off([made.pk], timezone.now(), "device", untried=True)

    made.refresh_from_db()
    assert (made.state, made.attempts, made.in_flight, made.waits) == ("queued", 0, False, "device")
