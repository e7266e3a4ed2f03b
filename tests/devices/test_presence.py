"""Presence: every way in which a device comes and goes, in any order."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from devices import presence
from devices.messages import Presence
from devices.models import Device, DevicePresence, Product
from iotpanel.tenants.models import Tenant
from tests.make import make_device, make_product

pytestmark = pytest.mark.django_db
NOW = 1_795_000_000_000_000
SECOND = 1_000_000


@pytest.fixture
def product(tenant: Tenant) -> Product:
    return make_product(tenant, offline_after=60)


@pytest.fixture
def device(product: Product) -> Device:
    return make_device(product=product)


def word(device: Device, online: bool, at: int = NOW, cause: str = "uplink") -> Presence:
    return Presence(device.pk, online, at, cause)


def row(device: Device) -> DevicePresence:
    return DevicePresence.objects.get(pk=device.pk)


def moment(at: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def test_the_first_uplink_brings_it_online(device: Device) -> None:
    said = word(device, True)
    assert presence.apply([said]) == [said]
    assert (row(device).online, row(device).last_seen, row(device).changed_at, row(device).cause) == (
        True,
        moment(NOW),
        moment(NOW),
        "uplink",
    )


def test_more_uplinks_change_only_when_it_was_seen(device: Device) -> None:
    presence.apply([word(device, True)])
    assert presence.apply([word(device, True, NOW + 5 * SECOND)]) == []
    assert (row(device).last_seen, row(device).changed_at) == (moment(NOW + 5 * SECOND), moment(NOW))


def test_offline_by_the_brokers_word_does_not_count_as_seen(device: Device) -> None:
    presence.apply([word(device, True)])
    gone = word(device, False, NOW + 9 * SECOND, "broker")
    assert presence.apply([gone]) == [gone]
    assert (row(device).online, row(device).last_seen, row(device).cause) == (False, moment(NOW), "broker")


def test_the_last_word_of_a_batch_wins(device: Device) -> None:
    presence.apply([word(device, True), word(device, False, NOW + 1, "status"), word(device, True, NOW + 2)])
    assert row(device).online
    presence.apply([word(device, True, NOW + 3), word(device, False, NOW + 4, "status")])
    assert not row(device).online


def test_a_word_from_before_the_last_change_is_old_news(device: Device) -> None:
    presence.apply([word(device, False, NOW - 5, "status")])
    presence.apply([word(device, True, NOW)])
    assert presence.apply([word(device, False, NOW - 1, "broker")]) == []
    assert row(device).online


def test_seen_never_goes_back(device: Device) -> None:
    presence.apply([word(device, True, NOW + 10 * SECOND)])
    presence.apply([word(device, True, NOW + 5 * SECOND)])
    assert row(device).last_seen == moment(NOW + 10 * SECOND)


def test_the_clocks_offset_is_kept_in_seconds(device: Device) -> None:
    presence.apply([word(device, True)], {device.pk: -90 * SECOND})
    presence.apply([word(device, True, NOW + SECOND)])
    assert row(device).clock_offset == -90.0


def test_silence_beyond_the_products_time_is_offline(device: Device) -> None:
    now = timezone.now()
    DevicePresence.objects.filter(pk=device.pk).update(online=True, last_seen=now - timedelta(seconds=61))
    changed = presence.sweep_silent(now - timedelta(hours=1))
    assert [(each.device_id, each.online, each.cause) for each in changed] == [(device.pk, False, "silence")]
    assert (row(device).online, row(device).cause) == (False, "silence")
    assert presence.sweep_silent(now - timedelta(hours=1)) == []


def test_silence_counts_only_while_we_listened(device: Device) -> None:
    now = timezone.now()
    DevicePresence.objects.filter(pk=device.pk).update(online=True, last_seen=now - timedelta(hours=2))
    assert presence.sweep_silent(now - timedelta(seconds=30)) == []
    assert row(device).online


def test_a_product_without_a_timeout_is_never_silent(tenant: Tenant) -> None:
    device = make_device(product=make_product(tenant, offline_after=0))
    now = timezone.now()
    DevicePresence.objects.filter(pk=device.pk).update(online=True, last_seen=now - timedelta(days=9))
    assert presence.sweep_silent(now - timedelta(days=10)) == []


def test_heard_saves_writes_within_a_second_and_none_of_a_change(device: Device) -> None:
    heard = presence.Heard()
    heard.note([word(device, True)])
    assert heard.knows(device.pk, NOW + SECOND - 1)
    assert not heard.knows(device.pk, NOW + SECOND)
    heard.note([word(device, False, NOW + 1)])
    assert not heard.knows(device.pk, NOW + 2)


def test_sinks_are_told(device: Device, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(presence, "import_string", lambda path: told.extend)
    settings.CHANGE_SINKS = ["any.path"]
    presence.tell_sinks([word(device, True)])
    assert told == [word(device, True)]


def test_whoever_was_written_without_a_clock_is_written_once_more() -> None:
    heard = presence.Heard()
    coming, word_of_one = Presence(1, True, NOW, "broker"), Presence(1, True, NOW + 1, "uplink")
    heard.note([coming])
    assert heard.knows(1, NOW + 1)
    assert heard.untimed({1: 5}) == {1}
    heard.note([word_of_one], {1: 5})
    assert heard.untimed({1: 5}) == set()
    heard.note([Presence(1, True, NOW + 2 * SECOND, "uplink")])
    assert heard.untimed({1: 5}) == {1}
    heard.forget()
    assert heard.untimed({1: 5}) == set()  # and is not fresh either
    assert not heard.knows(1, NOW + 1)
