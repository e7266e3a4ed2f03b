"""Commands and shadows by REST: shapes, roles, filters, and the reasons that refusals share with pages and log."""

from typing import Any

import pytest
import structlog
from django.utils import timezone
from structlog.testing import capture_logs

from devices.downlink import claims, refusals, shadow
from devices.models import Command, Device
from iotpanel.tenants.models import Role, Tenant, User
from tests.make import WITH_COMMANDS, make_api_key, make_command, make_device, make_member, make_product
from tests.rest import Rest, refused, results


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make_device(product=make_product(tenant, thing_model=WITH_COMMANDS), key="valve")


@pytest.fixture
def api(tenant: Tenant, device: Device) -> Rest:
    return Rest(make_member(tenant, Role.OPERATOR, username="otto"))


def test_a_command_is_sent_and_shown(api: Rest) -> None:
    answer = api.post("devices/valve/commands/", {"name": "set-level", "params": {"level": 3}, "priority": 1})

    assert answer.status_code == 202
    made = answer.json()
    assert (made["device"], made["name"], made["params"], made["state"], made["final"]) == (
        "valve", "set-level", {"level": 3}, "queued", False,
    )  # fmt: skip
    assert made["person"] == "otto" and isinstance(made["id"], str) and "result" not in made and "error" not in made
    assert api.get(f"devices/valve/commands/{made['id']}/").json() == made


def test_waiting_for_one_that_does_not_end_answers_202(api: Rest) -> None:
    assert api.post("devices/valve/commands/?wait=0.05", {"name": "reboot"}).status_code == 202


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "explode"}, 400, "unknown_command"),
        ({"name": "set-level", "params": {"level": "x"}}, 400, "bad_value"),
        ({"name": "set-level", "params": {"level": 101}}, 400, "out_of_range"),
        ({"name": "set-level", "params": {"level": 1, "x": 1}}, 400, "unknown_parameter"),
        ({"name": "set-level", "params": [1]}, 400, "bad_shape"),
        ({"name": "reboot", "expires_in": 0}, 400, "out_of_range"),
        ({"name": "reboot", "priority": 1000}, 400, "invalid"),
        ({}, 400, "invalid"),
    ],
)
def test_refusals_have_a_code_and_a_place(api: Rest, body: dict[str, Any], status: int, code: str) -> None:
    assert refused(api.post("devices/valve/commands/", body), status, code)
    assert not Command.objects.exists()


def test_a_refused_argument_is_one_sentence_for_rest_and_log(api: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "log", structlog.get_logger())
    with capture_logs() as lines:
        answer = api.post("devices/valve/commands/", {"name": "set-level", "params": {"level": 1, "mode": "gentle"}})

    sentence = "“mode” is 'gentle', which is none of 'soft', 'hard'"
    assert refused(answer, 400, "out_of_range") == {"params": [sentence]}
    assert answer.json()["message"] == sentence
    logged = [(line["code"], line["detail"]) for line in lines if line["event"] == "downlink_refused"]
    assert logged == [("out_of_range", sentence)]


@pytest.mark.parametrize("wait", ["-1", "61", "soon"])
def test_the_wait_has_bounds(api: Rest, wait: str) -> None:
    refused(api.post(f"devices/valve/commands/?wait={wait}", {"name": "reboot"}), 400, "invalid")
    assert not Command.objects.exists()


def test_a_disabled_device_and_a_full_queue(api: Rest, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.downlink.commands.MAX_QUEUED", 0)
    full = api.post("devices/valve/commands/", {"name": "reboot"})
    refused(full, 429, "queue_full")
    assert full.headers["Retry-After"]
    Device.objects.filter(pk=device.pk).update(enabled=False)
    refused(api.post("devices/valve/commands/", {"name": "reboot"}), 409, "device_disabled")


def test_lists_are_filtered_and_paged(api: Rest, device: Device) -> None:
    made = [make_command(device, name=name) for name in ("reboot", "beep", "reboot")]
    make_command()

    assert [row["id"] for row in results(api.get("devices/valve/commands/"))] == [str(each.pk) for each in reversed(made)]
    assert len(results(api.get("devices/valve/commands/", name="reboot"))) == 2
    assert results(api.get("devices/valve/commands/", state="expired")) == []
    assert len(results(api.get("devices/valve/commands/", state=["queued", "sent"], since=0))) == 3
    page = api.get("devices/valve/commands/", limit=2).json()
    assert [row["id"] for row in results(api.get("devices/valve/commands/", cursor=page["next"]))] == [str(made[0].pk)]
    refused(api.get("devices/valve/commands/", state="done"), 400, "invalid")


def test_delete_takes_back_what_waits(api: Rest, device: Device) -> None:
    waiting, flying = make_command(device), make_command(device)
    claims.claim([flying.pk], timezone.now())

    assert api.delete(f"devices/valve/commands/{waiting.pk}/").json()["state"] == "cancelled"
    refused(api.delete(f"devices/valve/commands/{waiting.pk}/"), 409, "already_final")
    refused(api.delete(f"devices/valve/commands/{flying.pk}/"), 409, "already_sent")


def test_a_command_is_found_at_its_own_device_only(api: Rest, tenant: Tenant, device: Device) -> None:
    theirs = make_command(make_device(product=device.product))

    for path in (f"devices/valve/commands/{theirs.pk}/", "devices/valve/commands/" + "9" * 19 + "/", "devices/nobody/commands/"):
        assert api.get(path).status_code == 404


def test_viewers_look_and_keys_need_their_scope(tenant: Tenant, viewer: User, device: Device) -> None:
    look = Rest(viewer)
    assert look.get("devices/valve/commands/").status_code == 200
    refused(look.post("devices/valve/commands/", {"name": "reboot"}), 403, "permission_denied")
    refused(look.patch("devices/valve/shadow/", {"desired": {}}), 403, "permission_denied")
    key = Rest(bearer=make_api_key(tenant, role=Role.OPERATOR, scopes=["commands:write"])[1])
    assert key.post("devices/valve/commands/", {"name": "reboot"}).status_code == 202
    refused(key.patch("devices/valve/shadow/", {"desired": {}}), 403, "permission_denied")


def test_the_shadow_is_patched_and_refuses_a_stale_version(api: Rest, device: Device) -> None:
    assert api.get("devices/valve/shadow/").json() == {
        "desired": {}, "reported": {}, "delta": {}, "shared": {}, "version": 0, "changed_at": None,
    }  # fmt: skip
    first = api.patch("devices/valve/shadow/", {"desired": {"level": 4, "mode": "soft"}}).json()
    assert (first["delta"], first["version"]) == ({"level": 4, "mode": "soft"}, 1)
    assert api.patch("devices/valve/shadow/", {"desired": {"mode": None}, "version": 1}).json()["desired"] == {"level": 4}
    assert refused(api.patch("devices/valve/shadow/", {"desired": {"level": 5}, "version": 1}), 409, "stale_version") == {"version": 2}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"desired": {"a": "x" * 1_000_000}}, 413, "too_large"),
        ({"desired": {"a": [[[[[[[[[1]]]]]]]]]}}, 400, "too_deep"),
        ({"desired": [1]}, 400, "bad_shape"),
        ({"reported": {}}, 400, "invalid"),
        ({"desired": {}, "version": -1}, 400, "invalid"),
    ],
)
def test_a_shadow_that_cannot_be(api: Rest, body: dict[str, Any], status: int, code: str) -> None:
    refused(api.patch("devices/valve/shadow/", body), status, code)


def test_the_past_and_the_changes(api: Rest, device: Device, owner: User) -> None:
    shadow.patch_desired(device, {"level": 4}, person=owner)
    between = timezone.now()
    shadow.patch_desired(device, {"level": 5})

    assert api.get("devices/valve/shadow/", at=between.isoformat()).json()["desired"] == {"level": 4}
    assert api.get("devices/valve/shadow/", at=0).json()["version"] == 0
    steps = results(api.get("devices/valve/shadow/history/"))
    assert [(step["version"], step["patch"], step["person"]) for step in steps] == [(2, {"level": 5}, None), (1, {"level": 4}, "olga")]


def test_shared_attributes_are_in_the_shadow_too(tenant: Tenant, owner: User, device: Device) -> None:
    api = Rest(owner)
    api.patch("devices/valve/attributes/", {"shared": {"interval": 60}, "server": {"room": "12"}})

    assert api.get("devices/valve/shadow/").json()["shared"] == {"interval": 60}
    api.patch("devices/valve/attributes/", {"shared": {"interval": None}})
    assert api.get("devices/valve/shadow/").json()["shared"] == {}
