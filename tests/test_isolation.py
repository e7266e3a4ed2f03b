"""The wall between tenants, at every address of the API: collected from the URL configuration, so none is forgotten.

Each address has a rule here. A new one without a rule fails `test_every_address_has_a_rule`.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver

import rules.models
from devices.models import Device, Job
from iotpanel.tenants.models import Role, Tenant, User
from rules.rules import create_rule
from telemetry.models import DeadLetterRecord, ReplayRun
from tests.make import WITH_COMMANDS, make_api_key, make_certificate, make_command, make_device, make_firmware, make_group, make_product
from tests.rest import Rest
from tests.rules.fakes import make_browser, make_channel, make_forwarder

API = "api/v1/"
WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Rule(NamedTuple):
    """What a stranger gets on an address with the key of another tenant's object, and who may read and write there."""

    stranger: int | None  # None: the address names no object; lists show nothing, what is made is the stranger's own
    viewer_reads: bool = True
    viewer_writes: bool = False


LIST, ITEM = Rule(None), Rule(404)
RULES = {
    "token": Rule(None, viewer_writes=True),  # about oneself
    "me": Rule(None),
    "tenants-list": Rule(403, viewer_reads=False),
    "tenants-detail": ITEM,
    "members-list": Rule(None, viewer_reads=False),
    "members-detail": Rule(404, viewer_reads=False),
    "api-keys-list": Rule(None, viewer_reads=False),
    "api-keys-detail": Rule(404, viewer_reads=False),
    "products-list": LIST,
    "products-detail": ITEM,
    "products-codec-test": ITEM,
    "products-reprocess": ITEM,
    "devices-list": LIST,
    "devices-detail": ITEM,
    "devices-rotate": ITEM,
    "devices-revoke": ITEM,
    "devices-import-csv": LIST,
    "devices-export-csv": LIST,
    "commands": ITEM,
    "command": ITEM,
    "devices-bulk": LIST,
    "devices-claim-code": ITEM,
    "devices-certificates": ITEM,
    "devices-certificate": ITEM,
    "claims": LIST,
    "products-registration": ITEM,
    "products-registration-secret": ITEM,
    "products-serials": ITEM,
    "products-serial": ITEM,
    "products-serial-approve": ITEM,
    "products-serial-deny": ITEM,
    "products-serial-again": ITEM,
    "firmware-list": LIST,
    "firmware-detail": ITEM,
    "firmware-image": Rule(404, viewer_reads=False),
    "jobs-list": LIST,
    "jobs-detail": ITEM,
    "jobs-pause": ITEM,
    "jobs-resume": ITEM,
    "jobs-abort": ITEM,
    "jobs-retry": ITEM,
    "jobs-devices": ITEM,
    "config": LIST,
    "config-plan": LIST,
    "config-apply": LIST,
    "shadow": ITEM,
    "shadow-history": ITEM,
    "groups-list": LIST,
    "groups-detail": ITEM,
    "latest": ITEM,
    "readings": ITEM,
    "events": ITEM,
    "attributes": ITEM,
    "frames": ITEM,
    "device-ledger": ITEM,
    "gaps": ITEM,
    "device-limits": ITEM,
    "ledger": LIST,
    "limits": LIST,
    "channels-list": LIST,
    "channels-detail": ITEM,
    "channels-kinds": LIST,
    "channels-test": ITEM,
    "channels-put-back": ITEM,
    "channels-pause": ITEM,
    "channels-resume": ITEM,
    "channels-deliveries": ITEM,
    "browsers-key": LIST,
    "browsers-list": Rule(None, viewer_writes=True),  # about oneself, as are the next two
    "browsers-detail": Rule(404, viewer_writes=True),
    "browsers-test": Rule(404, viewer_writes=True),
    "notices-list": LIST,
    "notices-read": LIST,
    "forwarders-list": LIST,
    "forwarders-detail": ITEM,
    "forwarders-kinds": LIST,
    "forwarders-test": ITEM,
    "forwarders-pause": ITEM,
    "forwarders-resume": ITEM,
    "forwarders-put-back": ITEM,
    "forwarders-deliveries": ITEM,
    "dead-letters-list": LIST,
    "dead-letters-detail": ITEM,
    "dead-letters-replay-one": ITEM,
    "dead-letters-adopt": ITEM,
    "dead-letters-replay-many": LIST,
    "replays-list": LIST,
    "replays-detail": ITEM,
    "rules-list": LIST,
    "rules-detail": ITEM,
    "rules-body-schema": LIST,
    "rules-limits": LIST,
    "rules-trace": ITEM,
    "rules-run": ITEM,
    "rules-outside": ITEM,
    "rules-put-back": ITEM,
    "rules-backtest": Rule(404, viewer_writes=True),
    "rules-backtest-body": Rule(None, viewer_writes=True),
    "maintenances-list": LIST,
    "maintenances-detail": ITEM,
    "rotations-list": LIST,
    "rotations-detail": ITEM,
    "alarms-list": LIST,
    "alarms-detail": ITEM,
    "alarms-acknowledge": ITEM,
    "alarms-clear": ITEM,
    "alarms-assign": ITEM,
    "alarms-comments": ITEM,
    "alarms-shelve": ITEM,
    "alarms-counts": LIST,
}
# For devices, by their own credentials: a person is nobody there (tests/telemetry/test_api_device_door.py).
DEVICE_DOORS = {
    "device-register",
    "device-firmware",  # nobody but the address itself says who asks
    "device-telemetry",
    "device-attributes",
    "device-status",
    "device-events",
    "device-ota",
    "device-raw",
    "device-raw-port",
    "device-gateway",
}
NEEDS_NOBODY = {("token", "POST"), ("device-register", "POST")}  # who asks says so in the body
VALUES = {"<str:name>": "door", "<str:token>": "door", "<int:port>": "1", "<path:kind_of_child>": "telemetry"}


class Address(NamedTuple):
    name: str
    path: str
    methods: frozenset[str]
    about: str  # the first step, such as devices


def walk(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every pattern below /api/v1/, with its whole route."""
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and route.startswith(API):
            yield route.removeprefix(API), pattern


def methods_of(pattern: Any) -> frozenset[str]:
    view = pattern.callback
    actions = getattr(view, "actions", None)
    handlers = actions or {verb: verb for verb in ("get", "post", "put", "patch", "delete") if hasattr(view.cls, verb)}
    allowed = set(view.cls.http_method_names)
    return frozenset(verb.upper() for verb in handlers if verb in allowed)


def addresses() -> list[Address]:
    found = {}
    for route, pattern in walk(get_resolver().url_patterns):
        if not route.split("/")[-1].startswith("<path:rest") and "(?P<format>" not in route:
            plain = route.replace("^", "").replace("$", "")
            found[pattern.name] = Address(pattern.name, plain, methods_of(pattern), plain.split("/")[0])
    return list(found.values())


ADDRESSES = addresses()
RULED = [address for address in ADDRESSES if address.name in RULES]


@pytest.fixture
def theirs(tenant: Tenant, owner: User) -> dict[str, str]:
    """One of each thing in the first tenant, by the name that addresses give it."""
    product = make_product(tenant, key="home-product", thing_model=WITH_COMMANDS)
    device = make_device(tenant, key="home-device", product=product)
    letter = DeadLetterRecord.objects.create(
        pk=10**6, tenant=tenant, device=device, key=device.key, topic="t", reason="not_json", payload=b"x", received_at=device.created_at
    )
    ReplayRun.objects.create(pk=letter.pk, tenant=tenant, total=1)  # addresses of both begin with the same step; no sequence comes so far
    inner = {"devices/id": str(make_command(device).pk), "devices/serial": make_certificate(device).serial}
    keys = inner | {
        "products": product.key,
        "devices": device.key,
        "groups": make_group(tenant, key="home-group").key,
        "tenants": tenant.key,
        "firmware": str(make_firmware(product).pk),
        "jobs": str(Job.objects.create(tenant=tenant, name="home-job", kind="command").pk),
    }
    rule, alarm = make_home_rule(tenant, device)
    keys |= {"rules": str(rule.pk), "alarms": str(alarm.pk)}
    now = device.created_at
    window = rules.models.Maintenance.objects.create(tenant=tenant, name="home-work", starts_at=now, ends_at=now + timedelta(days=1))
    rotation = rules.models.Rotation.objects.create(tenant=tenant, key="home-rota", name="home-rota", people=["olga"], starts_at=now)
    keys |= {"maintenances": str(window.pk), "rotations": rotation.key}
    keys["forwarders"] = str(make_forwarder(tenant, name="home-forwarder").pk)
    keys["channels"] = str(make_channel(tenant, name="home-channel").pk)
    keys["me/id"] = keys["me"] = str(make_browser(owner).pk)
    return {**keys, "dead-letters": str(letter.pk), "api-keys": str(make_api_key(tenant)[0].pk), "members": "olga"}


def make_home_rule(tenant: Tenant, device: Device) -> tuple[rules.models.Rule, rules.models.Alarm]:
    body = {"scope": {"devices": ["home-device"]}, "when": {"online": False}, "actions": [{"kind": "alarm"}]}
    rule = create_rule(tenant, name="home-rule", body=body)
    values = {"rule": rule, "rule_name": rule.name, "device": device, "raised_at": device.created_at, "message": "home-alarm"}
    return rule, rules.models.Alarm.objects.create(tenant=tenant, **values)


def fill(address: Address, theirs: dict[str, str]) -> str:
    """The address with the first tenant's object in it."""
    path = address.path
    while "(?P<" in path:
        start = path.index("(?P<")
        depth, end = 0, start
        for end in range(start, len(path)):
            depth += {"(": 1, ")": -1}.get(path[end], 0)
            if depth == 0:
                break
        name = path[start + 4 : path.index(">", start)]
        path = path[:start] + theirs.get(f"{address.about}/{name}", theirs[address.about]) + path[end + 1 :]
    for converter, value in VALUES.items():
        path = path.replace(converter, value)
    return path


def test_every_address_has_a_rule() -> None:
    names = {address.name for address in ADDRESSES}
    assert names == set(RULES) | DEVICE_DOORS


def test_the_collector_sees_the_api() -> None:
    assert len(ADDRESSES) > 25
    assert {"GET", "PUT", "PATCH", "DELETE"} == next(each.methods for each in ADDRESSES if each.name == "devices-detail")


def apart(addresses: Iterable[Address]) -> Iterator[Address]:
    """One after the other, each with what was there before: made once, because making it costs more than asking for it."""
    for address in addresses:
        with transaction.atomic():
            yield address
            transaction.set_rollback(True)


def test_a_stranger_gets_nothing_of_it(theirs: dict[str, str], stranger: User) -> None:
    api = Rest(stranger)
    for address in apart(RULED):
        rule = RULES[address.name]
        for method in sorted(address.methods):
            answer = api.send(method, fill(address, theirs), {} if method in WRITES else None)
            if rule.stranger is not None:
                assert answer.status_code == rule.stranger, (address.name, method, answer.content)
            text = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert b"home-" not in text, address.name
            assert b"olga" not in text, address.name
        assert Device.objects.filter(key="home-device").exists(), address.name


def test_a_stranger_does_not_get_in_by_the_header(theirs: dict[str, str], stranger: User) -> None:
    api = Rest(stranger, tenant="home")
    for address in apart(RULED):
        for method in sorted(address.methods):
            answer = api.send(method, fill(address, theirs), {} if method in WRITES else None)
            if address.about not in ("auth", "me", "tenants"):
                assert answer.status_code == 403, (address.name, method, answer.content)
                assert answer.json()["code"] == "foreign_tenant"


def test_a_viewer_writes_nothing(theirs: dict[str, str], viewer: User) -> None:
    api = Rest(viewer)
    for address in apart(RULED):
        rule = RULES[address.name]
        for method in sorted(address.methods):
            answer = api.send(method, fill(address, theirs), {} if method in WRITES else None)
            if method in WRITES:
                assert rule.viewer_writes or answer.status_code == 403, (address.name, method, answer.content)
            else:
                assert answer.status_code == (200 if rule.viewer_reads else 403), (address.name, method, answer.content)


def test_nobody_gets_in_without_signing_in(theirs: dict[str, str]) -> None:
    for address in apart(ADDRESSES):
        for method in sorted(address.methods):
            answer = Rest().send(method, fill(address, theirs), {} if method in WRITES else None)
            expected = 400 if (address.name, method) in NEEDS_NOBODY else 401
            assert answer.status_code == expected, (address.name, method, answer.content)
            assert set(answer.json()) == {"code", "message", "details"}


def test_a_key_without_the_scope_gets_nothing(theirs: dict[str, str], tenant: Tenant) -> None:
    api = Rest(bearer=make_api_key(tenant, role=Role.OWNER, scopes=["nothing:write"])[1])
    for address in apart(RULED):
        if address.about in ("auth", "me", "tenants"):
            continue
        for method in sorted(address.methods):
            answer = api.send(method, fill(address, theirs), {} if method in WRITES else None)
            assert answer.status_code == 403, (address.name, method, answer.content)
