"""What time does to commands."""

from datetime import timedelta
from typing import Any

import pytest
import structlog
from django.utils import timezone
from structlog.testing import capture_logs

from devices.downlink import claims, moves
from devices.downlink.sweep import again, sweep
from devices.models import Command, Device
from iotpanel.tenants.models import Tenant
from tests.make import WITH_COMMANDS, make_command, make_device, make_product


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_device(product=make_product(tenant, thing_model=WITH_COMMANDS), key="valve")


def after(seconds: float) -> None:
    sweep(timezone.now() + timedelta(seconds=seconds))


def outcome(command: Command) -> tuple[str, str]:
    command.refresh_from_db()
    return command.state, command.reason


def claim(command: Command, sent: bool = True) -> None:
    claims.claim([command.pk], timezone.now())
    if sent:
        claims.mark_sent([command.pk], timezone.now())


def test_nothing_happens_before_its_time(device: Device) -> None:
    made, sent = make_command(device), make_command(device)
    claim(sent)
    after(1)

    assert (outcome(made), outcome(sent)) == (("queued", ""), ("sent", ""))


def test_what_was_not_sent_in_time_expires(device: Device) -> None:
    made = make_command(device, expires_in=10)
    claims.park([device.pk])
    after(11)

    assert outcome(made) == ("expired", "not_sent")


def test_a_reply_that_does_not_come_is_a_time_out(device: Device) -> None:
    made = make_command(device, timeout=3)
    claim(made)
    after(4)

    assert outcome(made) == ("timed_out", "no_reply")
    assert [step["state"] for step in made.history] == ["queued", "sent", "timed_out"]


def test_an_idempotent_one_is_tried_three_times_with_pauses(device: Device) -> None:
    made = make_command(device, name="read-level", timeout=3)
    for pause in (1, 2):
        claim(made)
        Command.objects.filter(pk=made.pk).update(due_at=timezone.now())
        now = timezone.now()
        sweep(now)
        made.refresh_from_db()
        assert (made.state, made.waits, made.in_flight) == ("queued", "retry", False)
        assert made.due_at == now + timedelta(seconds=pause)
    claim(made)
    after(4)

    assert outcome(made) == ("timed_out", "no_reply")
    assert made.attempts == 3


def test_one_that_may_have_been_sent_is_not_sent_again(device: Device) -> None:
    made, may_again = make_command(device, timeout=3), make_command(device, name="read-level", timeout=3)
    claim(made, sent=False)
    claim(may_again, sent=False)
    again([made.pk, may_again.pk], timezone.now())

    assert (outcome(made), outcome(may_again)) == (("queued", ""), ("queued", ""))
    assert (made.in_flight, may_again.in_flight) == (True, False)
    after(4)
    assert outcome(made) == ("timed_out", "not_acknowledged")


def test_one_that_was_replaced_on_its_way_does_not_go_again(device: Device) -> None:
    """Else a device that has done the newer wish would be sent back to the older one."""
    old, other = (make_command(device, name="read-level", replace_key=key) for key in ("level", "light"))
    claim(old)
    claim(other)
    newer = make_command(device, name="read-level", replace_key="level")

    again([old.pk, other.pk], timezone.now())

    assert outcome(old) == ("cancelled", "replaced")
    assert outcome(other) == ("queued", "")
    assert outcome(newer) == ("queued", "")


def test_the_log_has_the_reason_of_what_was_not_done(
    device: Device, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As REST and page have it; what was done is not worth a line, and the parameters are nobody's affair."""
    monkeypatch.setattr(moves, "log", structlog.get_logger())
    late, unheard = make_command(device, name="set-level", params={"level": 47.11}, expires_in=1), make_command(device)
    claim(unheard)
    with capture_logs() as lines, django_capture_on_commit_callbacks(execute=True):
        after(100)

    assert [(line["event"], line["device"], line["id"], line["state"], line["reason"]) for line in lines] == [
        ("command_not_done", "valve", str(late.pk), "expired", "not_sent"),
        ("command_not_done", "valve", str(unheard.pk), "timed_out", "no_reply"),
    ]
    assert "47.11" not in repr(lines)
