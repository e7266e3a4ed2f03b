"""What may be queued, what is refused and why, and what is taken back."""

from typing import Any

import pytest
from django.utils import timezone

from devices.downlink import claims, commands
from devices.models import Command, Device
from iotpanel.api.errors import ApiError
from iotpanel.tenants.models import Tenant, User
from tests.make import WITH_COMMANDS, make_command, make_device, make_product


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_device(product=make_product(tenant, thing_model=WITH_COMMANDS), key="valve")


def refusal(device: Device, **order: Any) -> str:
    with pytest.raises(ApiError) as refused:
        commands.send(device, **{"name": "set-level", "params": {"level": 1}} | order)
    return refused.value.code


def test_a_command_is_queued_with_what_the_thing_model_says(device: Device, owner: User) -> None:
    made = commands.send(device, name="reboot", person=owner)

    assert (made.state, made.timeout, made.idempotent, made.one_way, made.person) == ("queued", 5.0, False, False, owner)
    assert 86_390 < (made.expires_at - timezone.now()).total_seconds() <= 86_400
    assert [step["state"] for step in made.history] == ["queued"]


def test_what_the_caller_says_wins(device: Device) -> None:
    made = commands.send(device, name="read-level", timeout=2, expires_in=60, priority=7, replace_key="level", hops=1)

    assert (made.timeout, made.priority, made.replace_key, made.hops, made.idempotent) == (2.0, 7, "level", 1, True)
    assert commands.send(device, name="beep").one_way


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"name": "explode"}, "unknown_command"),
        ({"name": "set-level\0"}, "unknown_command"),
        ({"params": {}}, "bad_value"),
        ({"params": {"level": "high"}}, "bad_value"),
        ({"params": {"level": True}}, "bad_value"),
        ({"params": {"level": float("nan")}}, "bad_value"),
        ({"params": {"level": 101}}, "out_of_range"),
        ({"params": {"level": 1, "mode": "sideways"}}, "out_of_range"),
        ({"params": {"level": 1, "speed": 2}}, "unknown_parameter"),
        ({"params": [1]}, "bad_shape"),
        ({"timeout": 0}, "out_of_range"),
        ({"expires_in": -1}, "out_of_range"),
        ({"expires_in": float("inf")}, "out_of_range"),
        ({"timeout": float("nan")}, "out_of_range"),
        ({"priority": 101}, "out_of_range"),
        ({"hops": 9}, "too_many_hops"),
    ],
)
def test_what_cannot_be_is_refused_with_a_reason(device: Device, order: dict[str, Any], code: str) -> None:
    assert refusal(device, **order) == code
    assert not Command.objects.exists()


def test_parameters_have_a_size(tenant: Tenant) -> None:
    model = {"commands": [{"key": "show", "params": [{"key": "text", "type": "text"}]}]}
    device = make_device(product=make_product(tenant, thing_model=model))

    assert refusal(device, name="show", params={"text": "x" * 70_000}) == "too_large"


def test_a_disabled_device_is_told_nothing(device: Device) -> None:
    device.enabled = False

    assert refusal(device) == "device_disabled"


def test_a_queue_that_nobody_empties_ends(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "MAX_QUEUED", 2)
    make_command(device)
    make_command(device)

    assert refusal(device) == "queue_full"


def test_many_are_queued_in_their_order_or_none(device: Device) -> None:
    made = commands.send_all([commands.Order(device, "set-level", {"level": n}) for n in range(5)])

    assert [each.params["level"] for each in Command.objects.order_by("pk")] == [0, 1, 2, 3, 4]
    assert made == list(Command.objects.order_by("pk").values_list("pk", flat=True))
    with pytest.raises(ApiError):
        commands.send_all([commands.Order(device, "reboot"), commands.Order(device, "explode")])
    assert Command.objects.count() == 5


def test_one_with_the_same_key_replaces_the_one_that_waits(device: Device) -> None:
    old = make_command(device, replace_key="power")
    other = make_command(device, replace_key="light")
    flying = make_command(device, replace_key="power", priority=9)
    claims.claim([flying.pk], timezone.now())
    make_command(device, replace_key="power")

    states = dict(Command.objects.values_list("pk", "state"))
    assert (states[old.pk], states[other.pk], states[flying.pk]) == ("cancelled", "queued", "queued")
    assert Command.objects.get(pk=old.pk).reason == "replaced"


def test_another_devices_command_is_never_replaced(device: Device) -> None:
    neighbour = make_device(product=device.product)
    theirs = make_command(neighbour, replace_key="power")
    make_command(device, replace_key="power")

    theirs.refresh_from_db()
    assert theirs.state == "queued"


def test_a_command_that_waits_can_be_taken_back(device: Device, owner: User) -> None:
    made = commands.cancel(make_command(device), person=owner)

    assert (made.state, made.reason, made.final) == ("cancelled", "by_person", True)
    assert [step["state"] for step in made.history] == ["queued", "cancelled"]
    with pytest.raises(ApiError) as again:
        commands.cancel(made)
    assert again.value.code == "already_final"


def test_one_that_is_on_its_way_cannot(device: Device) -> None:
    made = make_command(device)
    claims.claim([made.pk], timezone.now())

    with pytest.raises(ApiError) as refused:
        commands.cancel(made)
    assert refused.value.code == "already_sent"
