"""When a device said nothing although it should have, and how much is missing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.models import Device
from iotpanel.tenants.models import Tenant
from telemetry import gaps
from telemetry.gaps import Missing, Period
from telemetry.models import ReportRow
from tests import make

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def heard(device: Device, minutes_ago: list[int]) -> None:
    ReportRow.objects.bulk_create([ReportRow(device_id=device.pk, at=NOW - timedelta(minutes=m), values={"n": 1}) for m in minutes_ago])


def test_gaps_are_named_newest_first(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    heard(device, [*range(10), *range(40, 50), *range(100, 110)])
    period, found = gaps.of_device(device, NOW - DAY, NOW)
    assert period == Period(60, "learnt")
    assert [(gap.seconds / 60, gap.missing) for gap in found] == [(31, 30), (51, 50)]
    assert gaps.of_devices({device.pk: period}, NOW - DAY, NOW) == {device.pk: Missing(2, 80, 82 * 60)}


def test_one_that_still_lasts_has_no_end(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    heard(device, list(range(30, 60)))
    _, found = gaps.of_device(device, NOW - DAY, NOW)
    assert [(gap.end, gap.seconds, gap.missing) for gap in found] == [(None, 1800, 30)]


def test_a_device_that_comes_as_it_likes_misses_nothing(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    heard(device, [0, 1, 300, 301, 900])
    assert gaps.of_device(device, NOW - DAY, NOW) == (None, [])


def test_one_message_late_is_no_gap(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    heard(device, [0, 1, 2, 4, 5, 6, 7, 8])
    assert gaps.of_device(device, NOW - DAY, NOW) == (Period(60, "learnt"), [])


def test_what_came_less_often_before_is_not_full_of_gaps(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    heard(device, [*range(60), *range(60, 600, 10), *range(720, 800, 10)])
    period, found = gaps.of_device(device, NOW - DAY, NOW)
    assert period == Period(60, "learnt")
    assert [gap.seconds / 60 for gap in found] == [130]
    strict = gaps.of_devices({device.pk: Period(60, "thing_model")}, NOW - DAY, NOW)
    assert strict[device.pk].gaps > 50, "what the owner expects is expected"


def test_a_lone_message_between_two_silences_hides_neither(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    heard(device, [*range(50), 100, *range(150, 160)])
    _, found = gaps.of_device(device, NOW - DAY, NOW)
    assert [gap.seconds / 60 for gap in found] == [51, 50]


def test_what_the_thing_model_expects_outranks_what_was_learnt(tenant: Tenant) -> None:
    model = {"properties": [{"key": "n", "type": "number", "period": 600}, {"key": "m", "type": "number", "period": 300}]}
    device = make.make_device(product=make.make_product(tenant, thing_model=model))
    heard(device, [0, 1, 2, 3, 20])
    period, found = gaps.of_device(device, NOW - DAY, NOW)
    assert period == Period(300, "thing_model")
    assert [gap.missing for gap in found] == [2]


def test_a_window_cuts_a_silence_that_began_before_it(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    heard(device, list(range(100, 110)))
    found = gaps.of_devices({device.pk: Period(60, "learnt")}, NOW - timedelta(minutes=50), NOW)
    assert found == {device.pk: Missing(1, 50, 3000)}


def test_one_that_was_never_heard_misses_nothing(tenant: Tenant) -> None:
    device = make.make_device(tenant)
    assert gaps.of_devices({device.pk: Period(60, "learnt")}, NOW - DAY, NOW) == {}
    assert gaps.of_devices({}, NOW - DAY, NOW) == {}
    expected = make.make_device(
        product=make.make_product(tenant, thing_model={"properties": [{"key": "n", "type": "number", "period": 60}]})
    )
    assert gaps.of_device(expected, NOW - DAY, NOW) == (None, [])


@pytest.mark.parametrize("model", [{}, {"properties": None}, {"properties": [{"key": "a"}, {"key": "b", "period": None}, "x"]}])
def test_models_that_expect_nothing(model: dict[str, Any]) -> None:
    assert gaps.model_period(model) is None
