"""What each command needs is planned once, maybe while there are few: that plan must not read all that is queued later."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from devices.downlink import claims, replies
from devices.messages import Reply
from devices.models import Command, Device, DevicePresence
from devices.timestamps import to_microseconds
from iotpanel import statements
from iotpanel.tenants.models import Tenant
from tests.make import WITH_COMMANDS, make_command, make_device, make_product

OTHERS = 3_000
MANY = 100  # rows, for one command
READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'devices_command'"


@pytest.fixture
def devices(tenant: Tenant) -> list[Device]:
    product = make_product(tenant, thing_model=WITH_COMMANDS)
    found = [make_device(product=product, key=f"valve-{number}") for number in range(2)]
    DevicePresence.objects.filter(device__in=found).update(online=True, last_seen=timezone.now())
    return found


def rows_read() -> int:
    """Rows of commands that this transaction has read so far."""
    return int(statements.execute(READ)[0][0])


def send(command: Command) -> None:
    make_command(command.device)


def look(command: Command) -> None:
    assert claims.ready([command.device_id], [command.device_id], timezone.now())


def claim(command: Command) -> None:
    look(command)
    claims.claim([command.pk], timezone.now())


def answer(command: Command) -> None:
    claim(command)
    reply = Reply(command.device_id, command.pk, "ok", None, "", to_microseconds(timezone.now()))
    assert replies.apply([reply]) == [None]


def take(command: Command) -> None:
    claim(command)
    claims.mark_sent([command.pk], timezone.now())


@pytest.mark.parametrize("known", [0, 2], ids=["empty when analysed", "small when analysed"])
@pytest.mark.parametrize("act", [send, look, claim, take, answer])
def test_what_is_queued_for_others_is_not_read(act: Callable[[Command], None], known: int, devices: list[Device]) -> None:
    mine, other = devices
    statements.execute("SET LOCAL plan_cache_mode = force_generic_plan")  # which it would come to by itself, after five times
    for device in devices[:known]:
        make_command(device)
    statements.execute("ANALYZE devices_command")
    Command.objects.all().delete()
    act(make_command(mine))
    now = timezone.now()
    later = {"due_at": now + timedelta(hours=1), "expires_at": now + timedelta(days=1), "created_at": now, "timeout": 30}
    Command.objects.bulk_create([Command(device=other, name="reboot", **later) for _ in range(OTHERS)])
    Command.objects.filter(device=mine).delete()
    command = make_command(mine)

    before = rows_read()
    act(command)
    assert rows_read() - before < MANY
