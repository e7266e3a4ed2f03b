"""The live connection: what may be watched, what comes, what is refused."""

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import InterfaceError, OperationalError

from devices.messages import Report
from devices.models import Device, DevicePresence
from iotpanel import metrics
from iotpanel.tenants.models import Membership, Role, Tenant, User
from telemetry import consumers, latest
from telemetry.live import snapshot
from telemetry.live.flow import Flow
from telemetry.live.requests import DEVICES, FRAMES, SIZE
from telemetry.live.wire import Reading
from tests.make import make_api_key, make_device

from .sockets import bearer, opened, publishing, run, until

pytestmark = pytest.mark.django_db
AT = 1_767_225_600_000_000


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_device(tenant, key="freezer-1")


@pytest.fixture
def foreign(other_tenant: Tenant) -> Device:
    return make_device(other_tenant, key="foreign-1")


def test_it_sends_readings_of_watched_devices(viewer: User, device: Device) -> None:
    async def scenario() -> None:
        async with opened(viewer) as socket, publishing() as publisher:
            assert await socket.ask({"subscribe": {"devices": [device.key]}}) == {
                "type": "subscribed",
                "devices": [device.key],
                "refused": [],
            }
            await until(lambda: device.pk in publisher.watched)
            publisher.readings([(device.pk, device.key, AT, {"temperature": -18.5, "door": False})])
            message = await socket.hear("readings")
            assert sorted(message["data"]) == [
                [device.key, "door", 1_767_225_600_000, False],
                [device.key, "temperature", 1_767_225_600_000, -18.5],
            ]
            assert "skipped" not in message

    run(scenario)


def test_it_refuses_what_is_not_yours_and_goes_on_with_the_rest(stranger: User, device: Device, foreign: Device) -> None:
    async def scenario() -> None:
        async with opened(stranger) as socket, publishing() as publisher:
            asked = {"devices": [device.key, foreign.key, "no-such", "nul\0"], "frames": [device.key]}
            answer = await socket.ask({"subscribe": asked})
            assert answer["devices"] == [foreign.key]
            assert answer["refused"] == [device.key, "no-such", "nul\0"]
            assert answer["frames"] == []
            await until(lambda: foreign.pk in publisher.watched)
            assert device.pk not in publisher.watched | publisher.framed

    run(scenario)


def test_a_device_of_another_tenant_never_reaches_a_connection_even_if_it_is_watched_elsewhere(
    owner: User, stranger: User, device: Device, foreign: Device
) -> None:
    async def scenario() -> None:
        async with opened(owner) as mine, opened(stranger) as theirs, publishing() as publisher:
            await mine.ask({"subscribe": {"devices": [device.key], "status": True}})
            await theirs.ask({"subscribe": {"devices": [foreign.key], "status": True}})
            await until(lambda: {device.pk, foreign.pk} <= publisher.watched)
            await theirs.hear("status")
            publisher.readings([(device.pk, device.key, AT, {"secret": 1})])
            publisher.status([(device.pk, device.key, device.tenant_id, True, AT)])
            assert (await mine.hear("readings"))["data"][0][1] == "secret"
            assert await theirs.silent()

    run(scenario)


def test_properties_narrow_what_comes(viewer: User, device: Device) -> None:
    async def scenario() -> None:
        async with opened(viewer) as socket, publishing() as publisher:
            await socket.ask({"subscribe": {"devices": [device.key], "properties": ["temperature"]}})
            await until(lambda: device.pk in publisher.watched)
            publisher.readings([(device.pk, device.key, AT, {"temperature": 1, "humidity": 2})])
            assert [row[1] for row in (await socket.hear("readings"))["data"]] == ["temperature"]
            await socket.ask({"subscribe": {"devices": [device.key], "properties": ["humidity"]}})
            publisher.readings([(device.pk, device.key, AT, {"temperature": 1, "humidity": 2, "noise": 3})])
            assert {row[1] for row in (await socket.hear("readings"))["data"]} == {"temperature", "humidity"}

    run(scenario)


def test_it_begins_with_what_the_database_has(viewer: User, device: Device) -> None:
    """Otherwise a reading between the rendering of a page and its subscription would be lost."""
    latest.merge([Report(device.pk, AT, {"temperature": 4.5}, AT)])
    DevicePresence.objects.filter(device=device).update(online=True)

    async def scenario() -> None:
        async with opened(viewer) as socket:
            await socket.ask({"subscribe": {"devices": [device.key]}})
            assert (await socket.hear("status"))["data"] == [[device.key, True, None]]
            assert (await socket.hear("readings"))["data"] == [[device.key, "temperature", 1_767_225_600_000, 4.5]]

    run(scenario)


def test_a_reading_that_passed_before_publishers_knew_is_found_by_the_second_look(
    viewer: User, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "SECOND_LOOK", 0.2)

    async def scenario() -> None:
        async with opened(viewer) as socket:
            await socket.ask({"subscribe": {"devices": [device.key]}})
            await socket.hear("status")
            await sync_to_async(latest.merge)([Report(device.pk, AT, {"temperature": 4.5}, AT)])
            assert (await socket.hear("readings"))["data"] == [[device.key, "temperature", 1_767_225_600_000, 4.5]]

    run(scenario)


def test_unsubscribe_ends_it(viewer: User, device: Device) -> None:
    async def scenario() -> None:
        async with opened(viewer) as socket, publishing() as publisher:
            await socket.ask({"subscribe": {"devices": [device.key], "frames": [device.key]}})
            await until(lambda: device.pk in publisher.watched & publisher.framed)
            answer = await socket.ask({"unsubscribe": {"devices": [device.key]}})
            assert answer == {"type": "unsubscribed", "devices": [device.key]}
            await until(lambda: device.pk not in publisher.watched)
            assert device.pk in publisher.framed
            assert await socket.ask({"unsubscribe": {}}) == {"type": "unsubscribed", "devices": [], "frames": [device.key]}
            await until(lambda: device.pk not in publisher.framed)

    run(scenario)


def test_closing_the_connection_ends_the_watch(viewer: User, device: Device) -> None:
    async def scenario() -> None:
        async with publishing() as publisher:
            async with opened(viewer) as socket:
                await socket.ask({"subscribe": {"devices": [device.key]}})
                await until(lambda: device.pk in publisher.watched)
            await until(lambda: device.pk not in publisher.watched)

    run(scenario)


def test_status_comes_for_watched_devices_and_on_request_for_all(viewer: User, tenant: Tenant, device: Device) -> None:
    other = make_device(tenant, key="freezer-2")

    async def scenario() -> None:
        async with opened(viewer) as one, opened(viewer) as everything, publishing() as publisher:
            await one.ask({"subscribe": {"devices": [device.key]}})
            assert (await one.hear("status"))["data"] == [[device.key, False, None]]
            await everything.ask({"subscribe": {"status": True}})
            await until(lambda: device.pk in publisher.watched and tenant.pk in publisher._audience.tenants)
            publisher.status([(other.pk, other.key, tenant.pk, True, AT), (device.pk, device.key, tenant.pk, True, AT)])
            assert (await one.hear("status"))["data"] == [[device.key, True, 1_767_225_600_000]]
            assert sorted(row[0] for row in (await everything.hear("status"))["data"]) == [device.key, other.key]

    run(scenario)


def test_raw_frames_come_while_they_are_watched(viewer: User, device: Device) -> None:
    async def scenario() -> None:
        async with opened(viewer) as socket, publishing() as publisher:
            assert (await socket.ask({"subscribe": {"frames": [device.key]}}))["frames"] == [device.key]
            await until(lambda: device.pk in publisher.framed)
            publisher.frames([(device.pk, f"devices/{device.key}/up/raw", b"\x01\xff", AT, "codec_error", "line 3")])
            frame = (await socket.hear("frames"))["data"][0]
            assert frame == {
                "device": device.key,
                "direction": "up",
                "topic": f"devices/{device.key}/up/raw",
                "payload_base64": "Af8=",
                "size": 2,
                "ts": 1_767_225_600_000,
                "verdict": "codec_error",
                "detail": "line 3",
            }

    run(scenario)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "not_json"),
        ("\0", "not_json"),
        ("[]", "bad_shape"),
        ("null", "bad_shape"),
        ('{"subscribe": []}', "bad_shape"),
        ('{"subscribe": {}, "unsubscribe": {}}', "bad_shape"),
        ('{"subscribe": {"devices": "all"}}', "bad_shape"),
        ('{"subscribe": {"devices": [1]}}', "bad_shape"),
        ('{"subscribe": {"status": "yes"}}', "bad_shape"),
        ('{"subscribe": {"device": []}}', "unknown_field"),
        ('{"subscribe": {"properties": [""]}}', "bad_shape"),
        (json.dumps({"subscribe": {"properties": ["p"] * 501}}), "too_many"),
        ("[" * 5000 + "]" * 5000, "not_json"),
        (" " * (SIZE + 1), "too_large"),
    ],
)
def test_bad_input_is_answered_and_the_connection_lives_on(text: str, code: str, viewer: User, device: Device) -> None:
    async def scenario() -> None:
        async with opened(viewer) as socket:
            await socket.say_text(text)
            answer = await socket.hear()
            assert (answer["type"], answer["code"]) == ("error", code)
            assert answer["message"]
            assert (await socket.ask({"subscribe": {"devices": [device.key]}}))["type"] == "subscribed"

    run(scenario)


def test_bytes_are_refused_like_any_other_message(viewer: User) -> None:
    async def scenario() -> None:
        async with opened(viewer) as socket:
            await socket._communicator.send_to(bytes_data=b"\x00\x01")
            assert (await socket.hear())["code"] == "not_json"

    run(scenario)


def test_a_connection_watches_so_many_devices_and_no_more(viewer: User, tenant: Tenant, device: Device, monkeypatch: Any) -> None:
    monkeypatch.setattr(consumers, "DEVICES", 1)
    monkeypatch.setattr(consumers, "FRAMES", 1)
    other = make_device(tenant)

    async def scenario() -> None:
        async with opened(viewer) as socket:
            assert (await socket.ask({"subscribe": {"devices": [device.key, other.key]}}))["code"] == "too_many"
            assert (await socket.ask({"subscribe": {"frames": [device.key, other.key]}}))["code"] == "too_many"
            assert (await socket.ask({"subscribe": {"devices": [device.key]}}))["devices"] == [device.key]
            assert (await socket.ask({"subscribe": {"devices": [other.key]}}))["code"] == "too_many"
            assert (await socket.ask({"subscribe": {"devices": [device.key]}}))["devices"] == [device.key]
            await socket.ask({"unsubscribe": {"devices": [device.key]}})
            assert (await socket.ask({"subscribe": {"devices": [other.key]}}))["devices"] == [other.key]

    run(scenario)
    assert DEVICES > FRAMES > 1


def test_who_talks_without_pause_is_shown_out(viewer: User) -> None:
    async def scenario() -> None:
        async with opened(viewer) as socket:
            for _ in range(consumers.BURST * 2):
                await socket.say({"unsubscribe": {}})
            assert await socket.closed() == consumers.TOO_MUCH

    run(scenario)


def test_who_talks_and_does_not_read_the_answers_is_shown_out(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under Daphne the answers would pile up in memory."""
    full = Flow()
    full.pauseProducing()
    monkeypatch.setattr(consumers, "flow_of", lambda send: full)

    async def scenario() -> None:
        async with opened(viewer) as socket:
            await socket.say({"unsubscribe": {}})
            assert await socket.closed() == consumers.TOO_MUCH

    run(scenario)


def test_nothing_is_sent_while_the_browser_does_not_read(viewer: User, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    flow = Flow()
    monkeypatch.setattr(consumers, "flow_of", lambda send: flow)

    async def scenario() -> None:
        async with opened(viewer) as socket, publishing() as publisher:
            await socket.ask({"subscribe": {"devices": [device.key]}})
            await socket.hear("status")
            await until(lambda: device.pk in publisher.watched)
            flow.pauseProducing()
            for number in range(50):
                publisher.readings([(device.pk, device.key, AT + number, {"t": number})])
                await asyncio.sleep(0.01)
            assert await socket.silent()
            flow.resumeProducing()
            message = await socket.hear("readings")
            assert (message["data"][0][3], message["skipped"]) == (49, 49)

    run(scenario)


def test_a_lost_membership_ends_the_connection(viewer: User, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "CHECK", 0.05)

    async def scenario() -> None:
        async with opened(viewer) as socket:
            await Membership.objects.filter(user=viewer).adelete()
            assert (await socket.hear())["code"] == "signed_out"
            assert await socket.closed() == consumers.SIGNED_OUT

    run(scenario)


def test_a_revoked_key_ends_the_connection(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "CHECK", 0.05)
    api_key, key, _ = make_api_key(tenant, role=Role.VIEWER)

    async def scenario() -> None:
        async with opened(bearer(key)) as socket:
            await api_key.adelete()
            assert await socket.closed() == consumers.SIGNED_OUT

    run(scenario)


def test_a_device_that_is_gone_leaves_the_subscription(owner: User, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "CHECK", 0.05)

    async def scenario() -> None:
        async with opened(owner) as socket:
            await socket.ask({"subscribe": {"devices": [device.key]}})
            await Device.objects.filter(pk=device.pk).adelete()
            assert await socket.hear("unsubscribed") == {"type": "unsubscribed", "devices": ["freezer-1"]}

    run(scenario)


def test_a_key_without_the_scope_is_told_so(tenant: Tenant) -> None:
    key = make_api_key(tenant, scopes=["groups:read"])[1]

    async def scenario() -> None:
        async with opened(bearer(key)) as socket:
            assert (await socket.hear())["code"] == "permission_denied"
            assert await socket.closed() == consumers.FORBIDDEN

    run(scenario)


def test_a_database_that_is_away_is_asked_again(viewer: User, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    latest.merge([Report(device.pk, AT, {"temperature": 4.5}, AT)])
    monkeypatch.setattr(consumers, "RETRY", 0.05)
    answers = iter([OperationalError("gone"), InterfaceError("closed")])

    def newest_readings(device_ids: set[int]) -> list[Reading]:
        if error := next(answers, None):
            raise error
        return snapshot.newest_readings(device_ids)

    monkeypatch.setattr(consumers, "newest_readings", newest_readings)

    async def scenario() -> None:
        async with opened(viewer) as socket:
            await socket.ask({"subscribe": {"devices": [device.key]}})
            assert (await socket.hear("readings"))["data"][0][3] == 4.5

    run(scenario)


def test_a_question_that_the_database_cannot_answer_is_an_error_and_no_end(viewer: User, device: Device, monkeypatch: Any) -> None:
    def refuse(*_args: Any) -> None:
        raise OperationalError("password=hunter2")

    async def scenario() -> None:
        async with opened(viewer) as socket:
            with monkeypatch.context() as patch:
                patch.setattr(consumers, "ids_of", refuse)
                answer = await socket.ask({"subscribe": {"devices": [device.key]}})
            assert answer["code"] == "unavailable"
            assert "hunter2" not in repr(answer)
            assert (await socket.ask({"subscribe": {"devices": [device.key]}}))["devices"] == [device.key]

    run(scenario)


def test_a_fault_of_ours_leaves_nothing_behind(viewer: User, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any) -> None:
        raise ZeroDivisionError

    before = metrics.LIVE_CONNECTIONS._value.get()

    async def scenario() -> None:
        async with publishing() as publisher:
            with pytest.raises(ZeroDivisionError):
                async with opened(viewer) as socket:
                    await socket.ask({"subscribe": {"devices": [device.key]}})
                    await until(lambda: device.pk in publisher.watched)
                    monkeypatch.setattr(consumers, "parse", fail)
                    await socket.say({"unsubscribe": {}})
                    await until(lambda: device.pk not in publisher.watched)

    run(scenario)
    assert metrics.LIVE_CONNECTIONS._value.get() == before
