"""When a device said nothing although it should have."""

from datetime import UTC, datetime, timedelta

from devices.models import Device
from iotpanel.tenants.models import Tenant
from telemetry import silence
from telemetry.models import ReportRow
from tests import make

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def heard(device: Device, minutes_ago: list[int]) -> None:
    ReportRow.objects.bulk_create([ReportRow(device_id=device.pk, at=NOW - timedelta(minutes=m), values={"n": 1}) for m in minutes_ago])


def test_gaps_are_named_newest_first(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    heard(device, [*range(10), *range(40, 50), *range(100, 110)])
    usual, found = silence.gaps(device.pk, NOW - DAY, NOW)
    assert usual == 60
    assert [gap.seconds(NOW) / 60 for gap in found] == [31, 51]


def test_one_that_still_lasts_has_no_end(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    heard(device, list(range(30, 60)))
    _, found = silence.gaps(device.pk, NOW - DAY, NOW)
    assert [(gap.end, gap.seconds(NOW)) for gap in found] == [(None, 1800)]


def test_a_device_that_comes_as_it_likes_misses_nothing(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    heard(device, [0, 1, 300, 301, 900])
    assert silence.gaps(device.pk, NOW - DAY, NOW) == (None, [])


def test_one_message_late_is_no_gap(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    heard(device, [0, 1, 2, 4, 5, 6, 7, 8])
    assert silence.gaps(device.pk, NOW - DAY, NOW) == (60, [])


def test_what_came_less_often_before_is_not_full_of_gaps(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    heard(device, [*range(60), *range(60, 600, 10), *range(720, 800, 10)])
    usual, found = silence.gaps(device.pk, NOW - DAY, NOW)
    assert usual == 60
    assert [gap.seconds(NOW) / 60 for gap in found] == [130]


def test_a_lone_message_between_two_silences_hides_neither(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    heard(device, [*range(50), 100, *range(150, 160)])
    _, found = silence.gaps(device.pk, NOW - DAY, NOW)
    assert [gap.seconds(NOW) / 60 for gap in found] == [51, 50]
