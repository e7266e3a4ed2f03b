"""What the dispatcher remembers between two turns; what it does with a broker is in the flows."""

from collections.abc import Iterator

import pytest
from django.utils import timezone

from devices.downlink import claims
from devices.downlink.dispatch import SOON, Dispatcher
from devices.downlink.wake import Word
from devices.models import Device, DevicePresence
from iotpanel.tenants.models import Tenant
from tests.make import WITH_COMMANDS, make_command, make_device, make_product


@pytest.fixture
def dispatcher() -> Iterator[Dispatcher]:
    made = Dispatcher("mqtt://127.0.0.1:1", "me")
    yield made
    made.carrier.stop()


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_device(product=make_product(tenant, thing_model=WITH_COMMANDS), key="valve")


def claimed(dispatcher: Dispatcher, device: Device) -> list[int]:
    batch = dispatcher._claim([device.pk], Word(commanded=frozenset({device.pk})), timezone.now())
    return [command.id for command, _, _ in batch]


def come(device: Device, *, online: bool) -> None:
    DevicePresence.objects.filter(device=device).update(online=online, last_seen=timezone.now())


def test_a_full_window_is_looked_at_again_soon(dispatcher: Dispatcher, device: Device) -> None:
    come(device, online=True)
    first, _ = make_command(device), make_command(device)

    assert claimed(dispatcher, device) == [first.pk]
    assert dispatcher.patience.next_in() == float("inf")
    assert claimed(dispatcher, device) == []
    assert dispatcher.patience.next_in() <= SOON


def test_one_that_is_away_is_left_alone_until_it_comes(dispatcher: Dispatcher, device: Device) -> None:
    come(device, online=False)
    made = make_command(device)

    assert claimed(dispatcher, device) == []
    assert dispatcher.patience.next_in() == float("inf")
    come(device, online=True)
    assert [each.id for each in claims.ready([device.pk], [device.pk], timezone.now())] == [made.pk]
