"""The admin's list of commands: by tenant, for looking, and for taking back what waits."""

import pytest
from django.utils import timezone

from devices.downlink import claims
from devices.models import Command, Device
from iotpanel.tenants.models import Role, Tenant, User
from tests.admin_client import Admin
from tests.make import WITH_COMMANDS, make_command, make_device, make_member, make_product


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_device(product=make_product(tenant, thing_model=WITH_COMMANDS), key="valve", name="<b>Valve</b>")


def test_people_see_their_own_and_nothing_is_html(device: Device, viewer: User, stranger: User) -> None:
    made = make_command(device)
    Command.objects.filter(pk=made.pk).update(error="<script>")
    page = Admin(viewer).list(Command).content.decode()

    assert "reboot" in page and "<script>" not in page.replace("<script ", "") and "<b>Valve" not in page
    assert "reboot" not in Admin(stranger).list(Command).content.decode()
    assert Admin(viewer).open(made).status_code == 200
    assert Admin(stranger).open(made).status_code in (302, 404)


def test_what_waits_is_taken_back_by_who_may(device: Device, tenant: Tenant, viewer: User, stranger: User) -> None:
    waiting, flying = make_command(device), make_command(device)
    claims.claim([flying.pk], timezone.now())
    for user in (viewer, stranger):
        Admin(user).act(Command, "cancel_many", waiting)
        waiting.refresh_from_db()
        assert waiting.state == "queued"

    Admin(make_member(tenant, Role.OPERATOR)).act(Command, "cancel_many", waiting, flying)
    states = dict(Command.objects.values_list("pk", "state"))
    assert (states[waiting.pk], states[flying.pk]) == ("cancelled", "queued")


def test_nobody_writes_records_by_hand(device: Device, owner: User) -> None:
    made = make_command(device)

    assert Admin(owner).change(made, state="succeeded").status_code == 403
    assert Admin(owner).delete(made).status_code == 403
