"""Desired, reported, delta and version; the past; who is told."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from devices.downlink import shadow, shadow_outbox, wake
from devices.models import Device, DevicePresence, Shadow, ShadowStep
from iotpanel.api.errors import ApiError
from iotpanel.tenants.models import Tenant, User
from tests.make import make_device


@pytest.fixture
def device(tenant: Tenant) -> Device:
    found = make_device(tenant, key="valve")
    DevicePresence.objects.filter(device=found).update(online=True, last_seen=timezone.now())
    return found


def wanted(device: Device) -> str:
    return str(Shadow.objects.get(device=device).wanted)


def test_a_device_without_a_shadow_has_an_empty_one(device: Device) -> None:
    assert shadow.read(device)[:5] == ({}, {}, {}, {}, 0)


def test_what_is_desired_and_not_reported_is_the_delta(device: Device, owner: User) -> None:
    shadow.patch_desired(device, {"level": 4, "led": {"colour": "red"}}, person=owner)
    found = shadow.patch_desired(device, {"led": {"colour": "blue", "on": True}})

    assert found.desired == {"level": 4, "led": {"colour": "blue", "on": True}} == found.delta
    assert found.version == 2
    assert wanted(device) == "delta"
    assert ShadowStep.objects.get(version=1).person == owner


def test_a_patch_that_changes_nothing_is_no_version(device: Device) -> None:
    shadow.patch_desired(device, {"level": 4})

    assert shadow.patch_desired(device, {"level": 4}).version == 1
    assert ShadowStep.objects.count() == 1


def test_a_stale_version_is_refused(device: Device) -> None:
    shadow.patch_desired(device, {"level": 4})
    with pytest.raises(ApiError) as refused:
        shadow.patch_desired(device, {"level": 5}, version=0)

    assert (refused.value.code, refused.value.status_code, refused.value.details) == ("stale_version", 409, {"version": 1})
    assert shadow.patch_desired(device, {"level": 5}, version=1).version == 2


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ([1], "bad_shape"),
        ({"a": "\0"}, "bad_value"),
        ({"a": float("inf")}, "bad_value"),
        ({"a": "x" * 1_000_000}, "too_large"),
        ({"a": [[[[[[[[[1]]]]]]]]]}, "too_deep"),
    ],
)
def test_what_no_shadow_can_hold_is_refused(device: Device, patch: Any, code: str) -> None:
    with pytest.raises(ApiError) as refused:
        shadow.patch_desired(device, patch)

    assert refused.value.code == code
    assert not ShadowStep.objects.exists()


def test_it_does_not_grow_by_small_patches_either(device: Device) -> None:
    for number in range(3):
        shadow.patch_desired(device, {f"a{number}": "x" * 80_000})
    with pytest.raises(ApiError, match="at most"):
        shadow.patch_desired(device, {"a3": "x" * 80_000})


def test_the_past_is_as_it_was(device: Device) -> None:
    moments = []
    for number in range(120):
        shadow.patch_desired(device, {"n": number, "odd": True if number % 2 else None})
        ShadowStep.objects.filter(version=number + 1).update(at=timezone.now() - timedelta(hours=200 - number))
        moments.append(ShadowStep.objects.get(version=number + 1).at)

    for number in (0, 49, 50, 51, 77, 119):
        found = shadow.read(device, moments[number])
        assert found.desired == ({"n": number, "odd": True} if number % 2 else {"n": number})
        assert found.version == number + 1
    assert shadow.read(device, moments[0] - timedelta(seconds=1)).version == 0


def test_what_was_sent_is_wanted_no_longer_unless_it_changed(device: Device) -> None:
    shadow.patch_desired(device, {"level": 4})
    (ready,) = shadow_outbox.ready([device.pk])
    shadow.patch_desired(device, {"level": 5})
    assert shadow_outbox.mark_sent([ready], timezone.now()) == {device.pk}

    (again,) = shadow_outbox.ready([device.pk])
    assert again.payload() == b'{"delta":{"level":5},"version":2}'
    assert shadow_outbox.mark_sent([again], timezone.now()) == set()
    assert shadow_outbox.ready([device.pk]) == []


def test_a_device_that_comes_is_sent_what_it_lacks(device: Device) -> None:
    shadow.patch_desired(device, {"level": 4})
    shadow_outbox.mark_sent(shadow_outbox.ready([device.pk]), timezone.now())
    assert wanted(device) == ""

    wake.came({device.pk})
    assert wanted(device) == "delta"


def test_one_that_is_away_is_sent_nothing(device: Device) -> None:
    DevicePresence.objects.filter(device=device).update(online=False)
    shadow.patch_desired(device, {"level": 4})

    assert shadow_outbox.ready([device.pk]) == []
    assert shadow_outbox.wanted_devices() == set()


def test_shared_attributes_go_with_the_whole_shadow(device: Device) -> None:
    shadow.share(device, {"interval": 60})
    (ready,) = shadow_outbox.ready([device.pk])

    assert ready.payload() == b'{"delta":{},"version":1,"desired":{},"reported":{},"shared":{"interval":60}}'
