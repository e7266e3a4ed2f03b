"""Ended commands and changes of shadows go when they are old; what is open, and what the past is shown from, stays."""

from datetime import timedelta

from django.utils import timezone

from devices.downlink import claims, commands, shadow
from devices.models import Command, Device, ShadowStep
from iotpanel.tenants.models import Tenant
from telemetry import old_records
from tests.make import WITH_COMMANDS, make_command, make_device, make_product


def valve(tenant: Tenant) -> Device:
    return make_device(product=make_product(tenant, thing_model=WITH_COMMANDS))


def test_ended_commands_go_and_open_ones_stay(tenant: Tenant) -> None:
    device = valve(tenant)
    ended, waiting, flying = make_command(device), make_command(device), make_command(device)
    commands.cancel(ended)
    claims.claim([flying.pk], timezone.now())

    old_records.drop(now=timezone.now() + timedelta(days=364))
    assert Command.objects.count() == 3
    old_records.drop(now=timezone.now() + timedelta(days=366))
    assert set(Command.objects.values_list("pk", flat=True)) == {waiting.pk, flying.pk}


def test_the_past_of_a_shadow_can_still_be_shown(tenant: Tenant) -> None:
    device = valve(tenant)
    for number in range(60):
        shadow.patch_desired(device, {"n": number})
    old_records.drop(now=timezone.now() + timedelta(days=366))

    assert ShadowStep.objects.order_by("version").values_list("version", flat=True)[0] == 51
    assert shadow.read(device, timezone.now()).desired == {"n": 59}
