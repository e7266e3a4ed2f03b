"""How often a property comes, out of the readings themselves."""

from datetime import UTC, datetime, timedelta

from devices.models import Device
from iotpanel.tenants.models import Tenant
from telemetry import rhythm
from telemetry.models import ReportRow, RollupHour
from tests import make

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def reports(device: Device, name: str, seconds: list[float]) -> None:
    """Readings so many seconds before NOW."""
    for ago in seconds:
        row, _ = ReportRow.objects.get_or_create(device_id=device.pk, at=NOW - timedelta(seconds=ago), defaults={"values": {}})
        ReportRow.objects.filter(pk=row.pk).update(values={**row.values, name: 1})


def rolled_up(device: Device, name: str, at: datetime, count: int) -> None:
    """An hour with so many readings."""
    counts = {"count": count, "numbers": count}
    RollupHour.objects.create(device_id=device.pk, property=name, bucket=at, first=1, first_at=at, last=1, last_at=at, **counts)


def test_a_steady_property_has_its_pause(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    reports(device, "minutely", [60 * i for i in range(20)])
    reports(device, "fast", [i / 2 for i in range(20)])
    assert rhythm.estimate(device.pk, NOW) == {"minutely": 60, "fast": 0.5}


def test_jitter_and_one_lost_message_do_not_matter() -> None:
    assert rhythm.steady([0, 60, 121, 180, 240, 361, 420, 480, 541, 601, 661, 720]) == 60


def test_what_comes_as_it_likes_has_none() -> None:
    assert rhythm.steady([0, 1, 500, 502, 9_000, 9_001]) is None
    assert rhythm.steady([0, 60, 120]) is None
    assert rhythm.steady([5, 5, 5, 5, 5]) is None
    assert rhythm.steady([]) is None


def test_yesterday_does_not_count(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    reports(device, "old", [86_401 + 60 * i for i in range(20)])
    assert rhythm.estimate(device.pk, NOW) == {}


def test_what_is_rarer_than_the_sample_is_counted_by_the_hour(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    reports(device, "often", [60 * i for i in range(100)])
    reports(device, "hourly", [0])
    for hour in range(24):
        rolled_up(device, "hourly", NOW - timedelta(hours=hour), 1)
    assert rhythm.estimate(device.pk, NOW) == {"often": 60, "hourly": 3600}


def test_a_burst_in_one_hour_is_no_rhythm(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    reports(device, "often", [60 * i for i in range(100)])
    reports(device, "burst", [0])
    rolled_up(device, "burst", NOW, 30)
    assert rhythm.estimate(device.pk, NOW) == {"often": 60}


def test_other_devices_do_not_count(tenant: Tenant) -> None:
    device, other = make.make_device(tenant), make.make_device(tenant)
    reports(other, "minutely", [60 * i for i in range(20)])
    assert rhythm.estimate(device.pk, NOW) == {}
