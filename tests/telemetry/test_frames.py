"""Raw frames: the newest 500, only while somebody looks."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from devices.exceptions import Unavailable
from devices.models import Device
from iotpanel import valkey
from iotpanel.tenants.models import Tenant
from telemetry import frames
from telemetry.live import Publisher, recorder, register
from tests.make import make_device

from .live.test_publisher import wait_for

pytestmark = pytest.mark.django_db
AT = 1_767_225_600_000_000


@pytest.fixture
def device(tenant: Tenant) -> Iterator[Device]:
    made, client = make_device(tenant), valkey.client()
    client.delete(register.WATCHERS, recorder.key(made.pk))  # ids begin anew with a new test database
    yield made
    client.delete(register.WATCHERS, recorder.key(made.pk))


def record(device: Device, number: int) -> None:
    with valkey.client().pipeline() as pipe:
        shown = [(device.pk, recorder.as_json("topic", str(each).encode(), AT + each, "stored", "")) for each in range(number)]
        recorder.record(pipe, shown)
        pipe.execute()


def test_the_newest_come_first_and_no_more_than_500(device: Device) -> None:
    record(device, 600)
    found = frames.newest(device)
    assert len(found) == 500
    assert found[0]["ts"] == (AT + 599) / 1000
    assert [frame["ts"] for frame in frames.newest(device, limit=2)] == [(AT + 599) / 1000, (AT + 598) / 1000]


def test_more_than_500_cannot_be_asked_for(device: Device) -> None:
    record(device, 600)
    assert len(frames.newest(device, limit=10_000)) == 500


def test_one_device_sees_its_own_only(device: Device) -> None:
    record(device, 1)
    assert frames.newest(make_device(device.tenant)) == []


def test_they_are_gone_some_time_after_the_last(device: Device) -> None:
    record(device, 1)
    assert 0 < valkey.client().ttl(recorder.key(device.pk)) <= recorder.LIFETIME


def test_a_look_switches_the_recording_on_for_a_while(device: Device) -> None:
    live = Publisher()
    live.start()
    assert device.pk not in live.framed
    frames.watch(device, seconds=60)
    wait_for(lambda: device.pk in live.framed)
    live.frames([(device.pk, "topic", b"x", AT, "stored", "")])
    wait_for(lambda: frames.newest(device))
    assert 0 < valkey.client().ttl(register._entry(f"{register.RECORDER}{device.pk}")) <= 60
    live.stop()


def test_without_valkey_it_says_unavailable(device: Device, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(Unavailable):
        frames.watch(device)
    with pytest.raises(Unavailable):
        frames.newest(device)
