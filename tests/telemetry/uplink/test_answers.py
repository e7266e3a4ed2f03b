"""Replies and shadow reports on their way through the pipeline."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from devices.downlink import claims, moves, shadow, wake
from devices.messages import CommandChange
from devices.models import Command, Device, Shadow
from iotpanel.tenants.models import Tenant
from telemetry.uplink.pipeline import process
from tests.make import WITH_COMMANDS, make_command, make_device, make_product

from .talk import reasons, say, uplink


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_device(product=make_product(tenant, thing_model=WITH_COMMANDS), key="valve")


def sent(device: Device, **overrides: Any) -> Command:
    made = make_command(device, **overrides)
    claims.claim([made.pk], timezone.now())
    claims.mark_sent([made.pk], timezone.now())
    return made


def reply(device: Device, command: Any, body: Any) -> tuple[int, list[str]]:
    pk = command.pk if isinstance(command, Command) else command
    outcome = say(device, f"commands/{pk}/reply", body)
    return outcome.heartbeats, [letter.reason for letter in outcome.letters]


def end(command: Command) -> tuple[str, str, Any, str]:
    command.refresh_from_db()
    return command.state, command.reason, command.result, command.error


def test_a_reply_ends_the_command(device: Device) -> None:
    good, bad = sent(device), sent(device)

    assert reply(device, good, {"status": "ok", "result": {"level": 3}}) == (1, [])
    assert reply(device, bad, {"status": "error", "error": "stuck"}) == (1, [])
    assert end(good) == ("succeeded", "", {"level": 3}, "")
    assert end(bad) == ("failed", "device_error", None, "stuck")
    assert good.final and not good.in_flight


def test_a_device_may_say_that_it_has_it_first(device: Device) -> None:
    made = sent(device)

    assert reply(device, made, {"status": "received"}) == (1, [])
    assert end(made)[0] == "delivered" and made.in_flight
    assert reply(device, made, {"status": "ok"}) == (1, [])
    assert [step["state"] for step in made.history] == ["queued", "sent", "delivered"]
    assert end(made)[0] == "succeeded"


def test_the_dispatcher_is_told_of_the_next_ones_turn_only_where_there_is_one(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    last, more = sent(device), sent(make_device(product=device.product, key="pump"))
    make_command(more.device)
    told: list[tuple[set[int], list[int]]] = []
    monkeypatch.setattr(wake, "queued", lambda devices, ended=(): told.append((set(devices), list(ended))))

    for command in (last, more):
        assert reply(command.device, command, {"status": "ok"}) == (1, [])
    assert told == [(set(), [last.pk]), ({more.device_id}, [more.pk])]


def test_a_reply_may_be_quicker_than_the_brokers_word(device: Device) -> None:
    made = make_command(device)
    claimed_at = timezone.now() - timedelta(seconds=1)
    claims.claim([made.pk], claimed_at)

    assert reply(device, made, {"status": "ok"}) == (1, [])
    made.refresh_from_db()
    assert [step["state"] for step in made.history] == ["queued", "sent", "succeeded"]
    assert made.sent_at == claimed_at and made.history[1]["ts"] == int(claimed_at.timestamp() * 1000)
    claims.mark_sent([made.pk], timezone.now())
    assert end(made)[0] == "succeeded" and made.sent_at == claimed_at


def test_everybody_is_told_of_each_state_on_the_way(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[CommandChange] = []
    monkeypatch.setattr(moves, "tell_sinks", told.extend)
    made = make_command(device)
    claims.claim([made.pk], timezone.now())
    topic = f"devices/valve/up/commands/{made.pk}/reply"
    told.clear()
    process([uplink(topic, {"status": "received"}), uplink(topic, {"status": "error", "error": "stuck"})])

    assert [(change.state, change.final, change.error) for change in told] == [
        ("sent", False, ""),
        ("delivered", False, ""),
        ("failed", True, "stuck"),
    ]
    assert told[0].at <= told[1].at <= told[2].at


def test_word_that_it_has_it_may_be_quicker_too(device: Device) -> None:
    made = make_command(device)
    claimed_at = timezone.now() - timedelta(seconds=1)
    claims.claim([made.pk], claimed_at)
    body, topic = [{"status": "received"}, {"status": "ok"}], f"devices/valve/up/commands/{made.pk}/reply"

    assert process([uplink(topic, each) for each in body]).heartbeats == 2
    made.refresh_from_db()
    assert [step["state"] for step in made.history] == ["queued", "sent", "delivered", "succeeded"]
    assert made.sent_at == claimed_at


def test_a_late_reply_while_another_attempt_waits_was_sent_at_the_latest_when_it_came(device: Device) -> None:
    made = make_command(device)
    claims.claim([made.pk], timezone.now())
    claims.put_off([made.pk], claims.later(timezone.now(), 60), "retry", untried=False)

    assert reply(device, made, {"status": "ok"}) == (1, [])
    made.refresh_from_db()
    assert made.state == "succeeded" and made.sent_at == made.finished_at


def test_a_doubled_reply_is_a_heartbeat(device: Device) -> None:
    made = sent(device)
    body = {"status": "ok", "result": 1}

    assert [reply(device, made, body), reply(device, made, body)] == [(1, []), (1, [])]
    assert len(Command.objects.get(pk=made.pk).history) == 3


def test_a_doubled_reply_within_one_batch_too(device: Device) -> None:
    made = sent(device)
    message = uplink(f"devices/valve/up/commands/{made.pk}/reply", {"status": "ok"})

    assert process([message, message]).heartbeats == 2
    assert end(made)[0] == "succeeded"


def test_a_second_reply_that_says_something_else_changes_nothing(device: Device) -> None:
    made = sent(device)
    reply(device, made, {"status": "ok"})

    assert reply(device, made, {"status": "error", "error": "no"}) == (0, ["unexpected_reply"])
    assert end(made)[0] == "succeeded"


@pytest.mark.parametrize("text", ["1", "9" * 19, "9" * 30, "abc", "-1", "１"])
def test_a_reply_that_nobody_asked_for(device: Device, text: str) -> None:
    assert reply(device, text, {"status": "ok"}) == (0, ["unexpected_reply"])


def test_a_reply_to_what_was_never_sent(device: Device) -> None:
    made = make_command(device)

    assert reply(device, made, {"status": "ok"}) == (0, ["unexpected_reply"])
    assert end(made)[0] == "queued"


def test_a_reply_to_another_devices_command(device: Device) -> None:
    thief = make_device(product=device.product)
    made = sent(device)

    assert reply(thief, made, {"status": "ok"}) == (0, ["wrong_device"])
    assert end(made)[0] == "sent"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"ok", "not_json"),
        ([], "bad_shape"),
        ({}, "bad_shape"),
        ({"status": "fine"}, "bad_shape"),
        ({"status": "ok", "more": 1}, "bad_shape"),
        ({"status": "ok", "result": "\0"}, "bad_value"),
        (b'{"status": "ok", "result": 1e999}', "bad_value"),
        (b'{"status": "ok", "result": ' + b"[" * 40 + b"]" * 40 + b"}", "too_deep"),
        (b'{"status": "ok", "result": "' + b"x" * 1_000_000 + b'"}', "too_large"),
    ],
)
def test_a_reply_that_is_none(device: Device, body: Any, reason: str) -> None:
    made = sent(device)

    assert reply(device, made, body) == (0, [reason])
    assert end(made)[0] == "sent"


def test_a_gateway_answers_for_its_child_and_for_nobody_else(device: Device) -> None:
    child = make_device(product=device.product, parent=make_device(product=device.product, parent=device))
    stranger = make_device(product=device.product)
    mine, theirs = sent(child), sent(stranger)

    for made, key in ((mine, child.key), (theirs, stranger.key)):
        say(device, f"gateway/commands/{made.pk}/reply", {key: {"status": "ok"}})
    assert (end(mine)[0], end(theirs)[0]) == ("succeeded", "sent")
    assert reasons() == ["wrong_device"]


def test_a_report_is_merged_and_makes_the_delta_smaller(device: Device) -> None:
    shadow.patch_desired(device, {"level": 4, "led": "red"})

    assert say(device, "shadow", {"reported": {"level": 4, "old": 1}}).heartbeats == 1
    assert say(device, "shadow", {"reported": {"old": None}}).heartbeats == 1
    found = shadow.read(device)
    assert (found.reported, found.delta, found.version) == ({"level": 4}, {"led": "red"}, 3)


def test_an_empty_object_asks_for_the_whole_shadow(device: Device) -> None:
    assert say(device, "shadow", {}).heartbeats == 1
    assert Shadow.objects.get(device=device).wanted == "whole"


def test_a_report_that_answers_an_older_version_than_one_before_is_old_news(device: Device) -> None:
    for level in (1, 2):
        shadow.patch_desired(device, {"level": level})
    say(device, "shadow", {"reported": {"level": 2}, "version": 2})

    assert say(device, "shadow", {"reported": {"level": 1}, "version": 1}).heartbeats == 1
    assert shadow.read(device).reported == {"level": 2}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not_json"),
        ([], "bad_shape"),
        ({"desired": {}}, "bad_shape"),
        ({"version": 1}, "bad_shape"),
        ({"reported": 5}, "bad_shape"),
        ({"reported": {}, "version": "1"}, "bad_value"),
        ({"reported": {}, "version": 7}, "bad_value"),
        ({"reported": {"a": "\0"}}, "bad_value"),
        ({"reported": {"a": "x" * 300_000}}, "too_large"),
        (b'{"reported": {"a": "' + b"x" * 1_000_000 + b'"}}', "too_large"),
        ({"reported": {"a": [[[[[[[[[1]]]]]]]]]}}, "too_deep"),
    ],
)
def test_a_report_that_is_none(device: Device, body: Any, reason: str) -> None:
    assert [letter.reason for letter in say(device, "shadow", body).letters] == [reason]
    assert shadow.read(device).version == 0


def test_a_child_has_a_shadow_through_its_gateway(device: Device) -> None:
    child = make_device(product=device.product, parent=device)

    say(device, "gateway/shadow", {child.key: {"reported": {"level": 1}}})
    assert shadow.read(child).reported == {"level": 1}
