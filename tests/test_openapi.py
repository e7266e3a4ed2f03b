"""The OpenAPI document: made without warnings, says what the contract says, and the real application does what it says."""

import io
import os
import re
from contextlib import redirect_stderr
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from knox.models import AuthToken
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from devices.downlink import commands
from devices.enrolment import claims, policies, serials
from devices.jobs import verbs
from devices.models import Device, Job, Product, Serial
from iotpanel.tenants.models import Role, Tenant, User
from rules.models import Alarm, Browser
from rules.mutes import create_maintenance
from rules.rotations import create_rotation
from rules.rules import create_rule
from telemetry.models import DeadLetterRecord, ReplayRun
from tests.make import make_api_key, make_device, make_device_with_secret, make_group, make_product, make_tenant
from tests.rules.fakes import AUTH, POINT, make_browser, make_channel, make_forwarder

EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "2"))  # of each operation
CONTRACT = """
auth/token/ me/ tenants/ tenants/{key}/ members/ members/{username}/ api-keys/ api-keys/{id}/ groups/ groups/{key}/
products/ products/{key}/ products/{key}/codec/test/ devices/ devices/{key}/ devices/{key}/rotate/ devices/import/ devices/export/
devices/{key}/latest/ devices/{key}/readings/ devices/{key}/events/ devices/{key}/attributes/ devices/{key}/frames/
devices/bulk/ devices/{key}/claim-code/ claims/ device/register products/{key}/registration/ products/{key}/registration/secret/
products/{key}/serials/ products/{key}/serials/{serial}/approve/ config/ config/plan/ config/apply/
forwarders/ forwarders/{id}/ forwarders/{id}/test/ channels/ channels/{id}/ channels/{id}/test/ notices/
me/browsers/ me/browsers/{id}/ me/browsers/{id}/test/ me/browsers/key/
dead-letters/ dead-letters/{id}/ dead-letters/{id}/replay/ dead-letters/replay/ dead-letters/replays/ dead-letters/replays/{id}/
device/telemetry device/attributes device/events/{name} device/raw device/raw/{port}
"""
LEFT_OUT = object()
SOON = datetime(2031, 1, 1, tzinfo=UTC)
MODEL = {
    "properties": [{"key": "t", "name": "Temperature", "type": "number"}],
    "commands": [{"key": "restart", "name": "Restart"}],
}
RULE: dict[str, Any] = {
    "scope": {"product": "climate"},
    "when": {"property": "t", "op": ">", "value": 5},
    "actions": [{"kind": "alarm"}],
}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def document() -> dict[str, Any]:
    answer = Client().get("/api/schema/")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_the_document_is_valid_and_made_without_warnings() -> None:
    said = io.StringIO()
    with redirect_stderr(said):
        call_command("spectacular", validate=True, fail_on_warn=True, file="/dev/null")
    assert said.getvalue() == ""


def test_the_contracts_addresses_are_in_it() -> None:
    paths = document()["paths"]
    assert {f"/api/v1/{path}" for path in CONTRACT.split()} <= set(paths)


def test_every_operation_has_an_id_a_tag_and_its_errors() -> None:
    ids = []
    for path, operations in document()["paths"].items():
        for operation in operations.values():
            ids.append(operation["operationId"])
            assert operation["tags"], path
            assert {"400", "401", "403", "404", "429", "503"} <= set(operation["responses"])
            assert operation["responses"]["404"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}
    assert len(ids) == len(set(ids))


def test_it_says_how_to_sign_in() -> None:
    schemes = document()["components"]["securitySchemes"]
    assert set(schemes) == {"bearer", "signature", "session", "device"}


def test_the_browsable_page_fetches_nothing_from_elsewhere() -> None:
    page = Client().get("/api/docs/")
    assert page.status_code == 200
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.content.decode())
    assert addresses
    assert all(address.startswith("/") and not address.startswith("//") for address in addresses), addresses
    script = Client().get("/api/docs/?script")
    assert script["Content-Type"].startswith("application/javascript")
    assert b"/api/schema/" in script.content


def test_the_browsable_page_needs_no_inline_script() -> None:
    page = Client().get("/api/docs/").content.decode()
    assert not re.search(r"<script>|<script [^>]*>[^<]", page)


def opened(product: Product) -> dict[str, str]:
    """What a device sends that registers itself."""
    policies.set_policy(product, mode="open")
    return {"product": "home/climate", "secret": policies.new_product_secret(product), "serial": "SN-9"}


def make_job(device: Device) -> Job:
    """A job of the device's product."""
    return verbs.start(device.tenant, name="n", kind="command", spec={"command": "restart"}, target={"devices": [device.key]})


def make_registered(device: Device) -> str:
    """A serial number that has become this device."""
    made: Serial = Serial.objects.create(product=device.product, serial="SN-2", state="registered", device=device)
    return made.serial


def make_alarm(device: Device) -> Alarm:
    """An active alarm of the device."""
    made: Alarm = Alarm.objects.create(tenant=device.tenant, device=device, rule_name="Warm", raised_at=device.created_at)
    return made


def around(device: Device) -> dict[str, dict[str, Any]]:
    """Rules, alarms, and what stands around them."""
    rule = create_rule(device.tenant, name="Warm", body=RULE)
    scene = create_rule(
        device.tenant, name="Scene", body={name: value for name, value in {**RULE, "trigger": "scene"}.items() if name != "when"}
    )
    window: dict[str, Any] = {"name": "Work", "scope": LEFT_OUT, "starts_at": "2031-01-01T00:00:00Z", "ends_at": "2031-01-02T00:00:00Z"}
    turns: dict[str, Any] = {"name": "Turns", "people": ["olga"], "period": 7, "starts_at": "2026-01-01T00:00:00Z"}
    past = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}
    body = dict.fromkeys(("description", "trigger", "for", "clear", "clear_for", "cooldown", "active", "repeat", "lateness"), LEFT_OUT)
    return {
        "rules": {"id": rule.pk, "sent": {**body, **RULE, "name": "Warmer"}},
        "rules/{id}/run/": {"id": scene.pk},
        "rules/{id}/backtest/": {"id": rule.pk, "sent": past},
        "rules/backtest/": {"sent": {**past, "rule": RULE}},
        "alarms": {"id": make_alarm(device).pk},
        "alarms/{id}/assign/": {"id": make_alarm(device).pk, "sent": {"to": "olga"}},
        "alarms/{id}/shelve/": {"id": make_alarm(device).pk, "sent": {"until": None, "for": LEFT_OUT}},
        "alarms/{id}/comments/": {"id": make_alarm(device).pk, "sent": {"text": "on my way"}},
        "maintenances": {
            "id": create_maintenance(device.tenant, name="Work", starts_at=SOON, ends_at=SOON + timedelta(days=1)).pk,
            "sent": window,
        },
        "rotations": {"key": create_rotation(device.tenant, key="turns", name="Turns", people=["olga"], starts_at=SOON).key, "sent": turns},
        "rotations/": {"sent": {**turns, "key": "more-turns"}},
    }


def make_spare(owner: User) -> str:
    """The key of a tenant of theirs that may be ended."""
    spare = make_tenant(key="spare")
    spare.memberships.create(user=owner, role=Role.OWNER)
    return "spare"


@pytest.fixture
def parameters(transactional_db: None, tenant: Tenant, owner: User, superuser: User) -> dict[str, dict[str, Any]]:
    """One of each thing, by the first step of the addresses that name it."""
    device, secret = make_device_with_secret(tenant, key="room-1", product=make_product(tenant, key="climate", thing_model=MODEL))
    serials.list_serials(device.product, ["SN-1"])
    letter = DeadLetterRecord.objects.create(
        tenant=tenant,
        device=device,
        key="room-1",
        topic="devices/room-1/up/raw",
        reason="not_json",
        payload=b"x",
        received_at=device.created_at,
    )
    return {
        "products": {"key": "climate", "serial": "SN-1"},
        "claims": {"sent": {"code": claims.prepare(make_device(tenant, key="boxed"))[1]}},
        "device/register": {"sent": opened(device.product)},
        "devices/bulk/": {"sent": {"keys": ["bulk-1"], "pattern": LEFT_OUT, "product": "climate"}},
        "products/{key}/serials/": {"key": "climate", "sent": {"serials": ["SN-7"]}},
        "products/{key}/serials/{serial}/again/": {"key": "climate", "serial": make_registered(device)},
        "devices/{key}/claim-code/": {"key": make_device(tenant, key="boxed-too").key},
        "devices/{key}/commands/": {"key": "room-1", "sent": {"name": "restart", "params": {}}},
        "devices/{key}/commands/{id}/": {"key": "room-1", "id": commands.send(device, name="restart").pk},
        "jobs": {"id": make_job(device).pk},
        "jobs/{id}/pause/": {"id": make_job(device).pk},
        "jobs/{id}/resume/": {"id": verbs.pause(make_job(device)).pk},
        "jobs/": {"sent": {"kind": "command", "spec": {"command": "restart"}, "target": {"product": "climate"}, "rollout": {}}},
        "devices": {"key": "room-1"},
        "device": {"secret": f"room-1:{secret}"},
        "groups": {"key": make_group(tenant, key="hall").key},
        "tenants": {"key": make_spare(owner)},
        "members": {"username": "olga"},
        "api-keys": {"id": make_api_key(tenant)[0].pk},
        "dead-letters": {"id": letter.pk},
        "dead-letters/replays/{id}/": {"id": ReplayRun.objects.create(tenant=tenant, total=1).pk},
        **around(device),
        "forwarders": {"id": make_forwarder(tenant).pk},
        "channels": {"id": make_channel(tenant).pk},
        "me/browsers/": {"sent": {"endpoint": "https://push.example.org/2", "keys": {"p256dh": POINT, "auth": AUTH}}},
        "me/browsers/{id}/": {"id": make_browser(superuser).pk},
        "me/browsers/{id}/test/": {"id": make_unreachable(superuser).pk},
    }


def make_unreachable(person: User) -> Browser:
    """A browser whose push service nobody is to reach."""
    made = make_browser(person)
    Browser.objects.filter(pk=made.pk).update(endpoint="https://127.0.0.1/push")
    return made


def test_the_application_does_what_the_document_says(
    parameters: dict[str, dict[str, Any]], superuser: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made-up requests against the whole application: no faults, and every answer as documented.

    By WSGI, which needs no thread for each request as ASGI does; and all of them with one connection to the database.
    """
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)
    schema = schemathesis.openapi.from_wsgi("/api/schema/", get_wsgi_application())
    every: Any = schema.get_all_operations()
    operations = sorted(
        (result.ok() for result in every),
        key=lambda each: (each.method == "delete", "revoke" in each.path or "rotate" in each.path),
    )
    failures, refused, went_well = [], [], 0
    for operation in operations:
        known = parameters.get(operation.path.removeprefix("/api/v1/"), {}) or parameters.get(operation.path.split("/")[3], {})
        problem, statuses = _try(operation, known, superuser)
        went_well += any(status < 300 for status in statuses)
        refused += [] if any(status < 300 for status in statuses) else [f"{operation.method.upper()} {operation.path} {statuses}"]
        if problem:
            failures.append(f"{operation.method.upper()} {operation.path}: {problem}")
    assert not failures, "\n\n".join(failures)
    assert went_well > len(operations) * 4 // 5, refused  # not all of it was refused at the door


def _try(operation: Any, known: dict[str, Any], person: User) -> tuple[str, list[int]]:
    """What is wrong with the answers to a few made-up requests, which name things that are there; and the answers' codes."""
    AuthToken.objects.all().delete()  # each request looks through all of a person's
    headers = {"Authorization": f"Bearer {known.get('secret') or AuthToken.objects.create(person)[1]}", "X-Tenant": "home"}
    statuses: list[int] = []

    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def attempt(case: Any) -> None:
        case.path_parameters = {name: known.get(name, made_up) for name, made_up in (case.path_parameters or {}).items()}
        if isinstance(case.body, dict):
            there = {"product": "climate", **({} if case.method == "POST" else known)}
            case.body |= {name: value for name, value in there.items() if name in case.body}
            case.body = {name: value for name, value in (case.body | known.get("sent", {})).items() if value is not LEFT_OUT}
        statuses.append(case.call_and_validate(checks=CHECKS, headers=headers).status_code)

    try:
        attempt()
    except (Exception, BaseExceptionGroup) as error:
        return str(error)[:2000], statuses
    return "", statuses
