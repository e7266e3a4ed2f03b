"""What comes again from the dead letters or the archive raises no alarm for what is long over."""

import time

import pytest

from devices.messages import Uplink
from devices.models import Device
from devices.products import update_product
from devices.timestamps import to_datetime
from iotpanel.tenants.models import Tenant
from rules.models import Alarm, OutboxItem, RuleState
from telemetry import latest, reprocess
from telemetry.models import DeadLetterRecord
from telemetry.uplink.memory import memory
from telemetry.uplink.pipeline import process
from telemetry.uplink.replay import replay
from tests.rules.fakes import make_forwarder
from tests.rules.make import SECOND, make_freezer, make_rule, say

pytestmark = pytest.mark.django_db
GOOD = "function decode(payload)\n  return {temperature = string.byte(payload)}\nend\n"
BAD = 'function decode(payload)\n  error("not yet")\nend\n'


def now() -> int:
    return time.time_ns() // 1_000


def raw(device: Device, seconds_ago: int, value: int) -> None:
    process([Uplink(f"devices/{device.key}/up/raw", bytes([value]), now() - seconds_ago * SECOND)])


@pytest.fixture
def freezer(tenant: Tenant) -> Device:
    device = make_freezer(tenant)
    update_product(device.product, codec_kind="lua", codec_script=BAD, archive_days=2)
    return device


def mend(device: Device) -> None:
    update_product(device.product, codec_script=GOOD)
    memory().forget()


def test_old_dead_letters_are_stored_and_raise_nothing(tenant: Tenant, freezer: Device) -> None:
    """Although nothing newer is known of the device."""
    make_rule(tenant)
    raw(freezer, 7_200, 90)
    mend(freezer)
    assert replay(DeadLetterRecord.objects.all()) == (1, 0)
    assert latest.read([freezer.pk])[freezer.pk]["temperature"][0] == 90
    assert not Alarm.objects.exists()
    assert not RuleState.objects.exists()


def test_a_dead_letter_of_a_moment_ago_counts(tenant: Tenant, freezer: Device) -> None:
    make_rule(tenant)
    raw(freezer, 20, 90)
    mend(freezer)
    replay(DeadLetterRecord.objects.all())
    assert Alarm.objects.active().count() == 1


def test_the_rule_says_how_old_is_too_old(tenant: Tenant, freezer: Device) -> None:
    make_rule(tenant, lateness="3h")
    make_rule(tenant, name="strict", lateness="1h")
    raw(freezer, 7_200, 90)
    mend(freezer)
    replay(DeadLetterRecord.objects.all())
    assert [alarm.rule_name for alarm in Alarm.objects.all()] == ["Too warm"]


def test_the_archive_decoded_anew_raises_nothing_and_forwards(tenant: Tenant, freezer: Device) -> None:
    make_rule(tenant)
    update_product(freezer.product, codec_script=GOOD)
    memory().forget()
    raw(freezer, 7_200, 1)
    update_product(freezer.product, codec_script=GOOD.replace("string.byte(payload)", "string.byte(payload) + 50"))
    memory().forget()
    make_forwarder(tenant)
    run = reprocess.go_on(reprocess.start(freezer.product, since=to_datetime(now() - 9_000 * SECOND)))
    assert (run.state, run.stored) == ("done", 1)
    assert latest.read([freezer.pk])[freezer.pk]["temperature"][0] == 51
    assert not Alarm.objects.exists()
    assert OutboxItem.objects.count() == 1, "a forwarder is told what is true now"


def test_what_waited_for_the_database_is_no_replay(tenant: Tenant) -> None:
    """A batch that is tried again and again is old when it is written, and all of it is looked at."""
    freezer = make_freezer(tenant)
    make_rule(tenant)
    say(freezer, 0, temperature=9)
    assert Alarm.objects.active().count() == 1
