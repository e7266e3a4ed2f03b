"""The Commands and Shadow tabs: what they show, who may act, and what people type."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from devices.downlink import claims, shadow
from devices.models import Command, Device, ShadowStep
from iotpanel.tenants.models import Role, Tenant, User
from tests import make

ACTS = ["commands/send/", "commands/1/cancel/", "shadow/change/"]


@pytest.fixture
def device(tenant: Tenant) -> Device:
    model = {**make.WITH_COMMANDS}
    model["commands"] = [
        *model["commands"],
        {
            "key": "odd",
            "name": "<b>Odd</b>",
            "params": [{"key": "text", "name": '"><i>', "type": "text"}, {"key": "on", "type": "boolean"}, {"key": "plan", "type": "json"}],
        },
    ]
    return make.make_device(product=make.make_product(tenant, thing_model=model), key="valve", name="Valve")


@pytest.fixture
def operator(client: Client, tenant: Tenant) -> Client:
    client.force_login(make.make_member(tenant, Role.OPERATOR, username="otto"))
    return client


def text_of(client: Client, path: str) -> str:
    answer = client.get(f"/devices/valve/{path}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("act", ACTS)
def test_only_operators_act_and_strangers_see_nothing(
    client: Client, viewer: User, stranger: User, device: Device, act: str, tenant: Tenant
) -> None:
    for user, status in ((viewer, 403), (stranger, 404)):
        client.force_login(user)
        assert client.post(f"/devices/valve/{act}").status_code == status
    for tab in ("commands/", "commands/rows/", "shadow/", "shadow/parts/"):
        assert client.get(f"/devices/valve/{tab}").status_code == 404


def test_a_viewer_sees_what_happened_and_no_form(client: Client, viewer: User, device: Device) -> None:
    make.make_command(device)
    shadow.patch_desired(device, {"level": 4})
    client.force_login(viewer)

    assert "Reboot" in text_of(client, "commands/")
    assert "Send a command" not in text_of(client, "commands/")
    assert "Cancel" not in text_of(client, "commands/rows/")
    assert "Change what is desired" not in text_of(client, "shadow/")


def test_the_form_is_made_of_the_thing_model_and_nothing_of_it_is_html(operator: Client, device: Device) -> None:
    page = text_of(operator, "commands/")

    assert "Set level" in page and 'name="p.set-level.level"' in page and "0 to 100" in page.replace("0.0", "0")
    assert "<b>Odd</b>" not in page and '"><i>' not in page


def test_a_command_is_sent_by_the_form(operator: Client, device: Device) -> None:
    sent = {"name": "set-level", "p.set-level.level": "40,", "p.odd.on": "true"}
    refused = operator.post("/devices/valve/commands/send/", sent)
    assert refused.status_code == 422 and "is not a number" in refused.content.decode()

    made = operator.post("/devices/valve/commands/send/", sent | {"p.set-level.level": "40", "timeout": "5", "priority": "2"})
    assert made.status_code == 200 and "Set level" in made.content.decode()
    command = Command.objects.get()
    assert (command.params, command.timeout, command.priority) == ({"level": 40}, 5.0, 2)
    assert command.person is not None and command.person.username == "otto"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"name": "explode"}, "no command"),
        ({"name": "set-level"}, "is missing"),
        ({"name": "set-level", "p.set-level.level": "101"}, "outside 0 to 100"),
        ({"name": "set-level", "p.set-level.level": "nan"}, "not a finite number"),
        ({"name": "odd", "p.odd.plan": "{"}, "is not JSON"),
        ({"name": "reboot", "timeout": "soon"}, "is not a number"),
        ({"name": "reboot", "timeout": "inf"}, "Give seconds"),
        ({}, "no command"),
    ],
)
def test_what_is_wrong_is_said_in_words(operator: Client, device: Device, sent: dict[str, str], words: str) -> None:
    answer = operator.post("/devices/valve/commands/send/", sent)

    assert answer.status_code == 422 and words in answer.content.decode()
    assert not Command.objects.exists()


def test_each_type_of_parameter_arrives_as_it_is(operator: Client, device: Device) -> None:
    sent = {"name": "odd", "p.odd.text": "x", "p.odd.on": "false", "p.odd.plan": '{"a": [1]}'}
    assert operator.post("/devices/valve/commands/send/", sent).status_code == 200

    assert Command.objects.get().params == {"text": "x", "on": False, "plan": {"a": [1]}}


def test_one_that_waits_is_cancelled_and_one_that_flies_is_not(operator: Client, device: Device) -> None:
    waiting, flying = make.make_command(device), make.make_command(device)
    claims.claim([flying.pk], timezone.now())

    assert "Cancelled" in operator.post(f"/devices/valve/commands/{waiting.pk}/cancel/").content.decode()
    assert "on its way" in operator.post(f"/devices/valve/commands/{flying.pk}/cancel/").content.decode()
    assert operator.post(f"/devices/valve/commands/{10**19}/cancel/").status_code == 404


def test_while_one_is_tried_the_table_comes_anew(operator: Client, device: Device) -> None:
    """That a device was not there, and the command waits again, is no change of its state: nothing would tell the page."""
    flying = make.make_command(device)
    rows = "/devices/valve/commands/rows/"
    assert f'hx-get="{rows}"' not in operator.get(rows).content.decode()
    claims.claim([flying.pk], timezone.now())
    assert f'hx-get="{rows}"' in operator.get(rows).content.decode()
    claims.put_off([flying.pk], timezone.now(), "device", untried=True)
    assert f'hx-get="{rows}"' not in operator.get(rows).content.decode()


def test_another_devices_command_is_not_cancelled_from_here(operator: Client, device: Device) -> None:
    theirs = make.make_command()

    assert operator.post(f"/devices/valve/commands/{theirs.pk}/cancel/").status_code == 404


def test_there_are_pages(operator: Client, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iotpanel.pages.device.commands.PAGE", 2)
    made = [make.make_command(device).pk for _ in range(3)]

    assert str(made[0]) not in text_of(operator, "commands/rows/")
    assert f"before={made[1]}" in text_of(operator, "commands/")
    assert str(made[0]) in text_of(operator, f"commands/?before={made[1]}")
    assert text_of(operator, "commands/?before=x") and text_of(operator, "commands/?before=" + "9" * 40)


def test_the_shadow_shows_what_differs_and_how_it_was(operator: Client, device: Device) -> None:
    shadow.patch_desired(device, {"level": 4, "name": "<script>"})
    then = timezone.now() - timedelta(minutes=1)
    ShadowStep.objects.filter(device=device).update(at=then)
    was = round(then.timestamp() * 1000) + 1
    shadow.patch_desired(device, {"level": 5})

    page = text_of(operator, "shadow/")
    assert "not sent yet" in page and "<script>alert" not in page and "&lt;script&gt;" in page
    past = text_of(operator, f"shadow/?at={was}")
    assert "version 1" in past and "Change what is desired" not in past
    assert text_of(operator, "shadow/?at=soon")


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"patch": "{"}, "not JSON"),
        ({"patch": "[1]"}, "is an object"),
        ({"patch": '{"a": "\\u0000"}'}, "NUL"),
        ({"patch": '{"a": 1}', "version": "7"}, "changed meanwhile"),
    ],
)
def test_a_bad_patch_is_refused_and_kept_in_the_form(operator: Client, device: Device, sent: dict[str, Any], words: str) -> None:
    answer = operator.post("/devices/valve/shadow/change/", sent)

    assert answer.status_code == 422 and words in answer.content.decode()
    assert shadow.read(device).version == 0


def test_a_patch_is_merged(operator: Client, device: Device) -> None:
    answer = operator.post("/devices/valve/shadow/change/", {"patch": '{"level": 4}', "version": "0"})

    assert answer.status_code == 200
    assert shadow.read(device).desired == {"level": 4}
