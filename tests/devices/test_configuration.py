"""Configuration as code: out and in again, plans that people can read, all or nothing, and hostile documents."""

import functools
import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from devices import catalog
from devices.catalog.install import install
from devices.enrolment import policies
from devices.models import Group, Product
from iotpanel.api.errors import ApiError
from iotpanel.tenants.configuration import applying, document
from iotpanel.tenants.configuration.plan import export
from iotpanel.tenants.models import Tenant, User
from tests.make import make_device, make_group, make_product
from tests.rest import Rest, refused

pytestmark = pytest.mark.django_db
SCRIPT = "function decode(payload)\n  return {n = string.byte(payload)}\nend\n"
MODEL = {"properties": [{"key": "n", "name": "N", "type": "number", "unit": "°C", "max": 80}]}


def plant(tenant: Tenant) -> None:
    """A tenant with some of everything."""
    site = make_group(tenant, key="site", name="Site")
    make_group(tenant, key="hall", name="no", parent=site)
    sensor = make_product(tenant, key="sensor", name="012", thing_model=MODEL, codec_kind="lua", codec_script=SCRIPT)
    make_product(tenant, key="gateway", name="Gateway", register_children=True, child_product=sensor, description="a\r\nb\u2028c: #d")
    policies.set_policy(sensor, mode="listed", approval=True)
    policies.new_product_secret(sensor)


def text_of(tenant: Tenant) -> str:
    return document.write(export(tenant))


def with_product(text: str, line: str) -> str:
    """A document with one more product."""
    assert "\nproducts:\n" in text
    return text.replace("\nproducts:\n", f"\nproducts:\n  {line}\n")


def applied(tenant: Tenant, text: str, *, prune: bool = False) -> str:
    return applying.apply(tenant, document.read(text), prune=prune).text()


def not_applied(tenant: Tenant, text: str, *, prune: bool = False) -> str:
    with pytest.raises(applying.NotApplied) as caught:
        applying.apply(tenant, document.read(text), prune=prune)
    return caught.value.plan.text()


def test_what_is_written_is_read_again_and_changes_nothing(tenant: Tenant) -> None:
    plant(tenant)
    assert applied(tenant, text_of(tenant), prune=True) == "Nothing would change.\n"


def test_it_makes_the_same_in_another_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    plant(tenant)
    text = text_of(tenant)
    applied(other_tenant, text)

    assert text_of(other_tenant) == text
    assert Group.objects.for_tenant(other_tenant).get(key="hall").parent.tenant == other_tenant
    gateway = Product.objects.for_tenant(other_tenant).get(key="gateway")
    assert gateway.child_product is not None
    assert (gateway.child_product.tenant, gateway.description) == (other_tenant, "a\r\nb\u2028c: #d")
    assert applied(other_tenant, text) == "Nothing would change.\n"


def test_commands_at_once_go_out_and_in_and_are_judged(tenant: Tenant, other_tenant: Tenant) -> None:
    make_product(tenant, key="pump", command_window=7)
    text = text_of(tenant)
    assert "command_window: 7" in text
    applied(other_tenant, text)
    assert Product.objects.for_tenant(other_tenant).get().command_window == 7
    applied(other_tenant, text.replace("    command_window: 7\n", ""))
    assert Product.objects.for_tenant(other_tenant).get().command_window == 1
    assert "command_window" in not_applied(other_tenant, text.replace(": 7", ": 1000"))


def test_the_archive_and_the_limits_go_out_and_in_and_are_judged(tenant: Tenant, other_tenant: Tenant) -> None:
    make_product(tenant, key="pump", archive_days=30, rate_limit=0.5, rate_burst=20)
    text = text_of(tenant)
    applied(other_tenant, text)
    assert text_of(other_tenant) == text
    pump = Product.objects.for_tenant(other_tenant).get()
    assert (pump.archive_days, pump.rate_limit, pump.rate_burst) == (30, 0.5, 20)

    lines = ("    archive_days: 30\n", "    rate_limit: 0.5\n", "    rate_burst: 20\n")
    plan = applied(other_tenant, functools.reduce(lambda left, line: left.replace(line, ""), lines, text))
    assert all(line.strip() in plan for line in lines), plan
    pump.refresh_from_db()
    assert (pump.archive_days, pump.rate_limit, pump.rate_burst) == (None, None, None)
    for wrong in ("archive_days: 0", "rate_limit: -1", "rate_burst: lots"):
        name = wrong.split(":")[0]
        old = next(line for line in lines if name in line)
        assert f"products/pump/{name}" in not_applied(other_tenant, text.replace(old, f"    {wrong}\n"))


def test_the_whole_catalog_goes_out_and_in(tenant: Tenant, other_tenant: Tenant) -> None:
    for product in catalog.list_products():
        install(tenant, product["key"])
    text = text_of(tenant)
    applied(other_tenant, text)
    assert text_of(other_tenant) == text
    assert Product.objects.for_tenant(other_tenant).count() == Product.objects.for_tenant(tenant).count() > 10


def test_the_text_is_the_same_each_time_and_holds_no_secret(tenant: Tenant) -> None:
    plant(tenant)
    text = text_of(tenant)
    assert text == text_of(tenant)
    assert "$7$" not in text
    assert "secret" not in text
    assert "script: |\n" in text
    assert "codec:" not in text.split("sensor:")[0], "what is as by default is left out"


def test_a_plan_says_what_changes_and_changes_nothing(tenant: Tenant) -> None:
    plant(tenant)
    changed = text_of(tenant).replace("max: 80", "max: 90").replace("return {n =", "return {m =").replace("name: Site", "name: Yard")
    plan = applying.plan(tenant, document.read(with_product(changed, "new: {name: New}")))

    lines = plan.text().splitlines()
    assert lines[0] == "~ groups/site"
    assert '    name: "Site" -> "Yard"' in lines
    assert "    thing_model.properties.n.max: 80 -> 90" in lines
    assert "      -  return {n = string.byte(payload)}" in lines
    assert "      +  return {m = string.byte(payload)}" in lines
    assert lines[lines.index("+ products/new") + 1] == '    name: "New"'
    assert Product.objects.get(key="sensor").thing_model["properties"][0]["max"] == 80
    assert not Product.objects.filter(key="new").exists()


def test_all_of_it_or_nothing(tenant: Tenant) -> None:
    plant(tenant)
    before = text_of(tenant)
    bad = before.replace("name: Site", "name: Yard").replace("function decode(payload)", "function decode(payload")
    said = not_applied(tenant, with_product(bad, "other: {name: '', offline_after: -1}"))

    assert "! products/sensor/codec.script:" in said
    assert "! products/other/name:" in said
    assert "! products/other/offline_after:" in said
    assert text_of(tenant) == before


def test_pruning_deletes_what_the_sections_lack_and_leaves_other_sections_alone(tenant: Tenant) -> None:
    plant(tenant)
    text = "version: 1\ngroups: {}\n"
    assert "Nothing" in applied(tenant, text)
    assert Group.objects.count() == 2
    assert applied(tenant, text, prune=True).splitlines() == ["- groups/hall", "- groups/site"]
    assert (Group.objects.count(), Product.objects.count()) == (0, 2)


def test_a_product_in_use_stands_against_pruning(tenant: Tenant) -> None:
    plant(tenant)
    make_device(tenant, product=Product.objects.get(key="sensor"))
    assert "! products: " in not_applied(tenant, "version: 1\nproducts: {}\n", prune=True)
    assert Product.objects.count() == 2


def test_groups_can_be_turned_over(tenant: Tenant) -> None:
    plant(tenant)
    applied(tenant, "version: 1\ngroups:\n  hall: {name: Hall}\n  site: {name: Site, parent: hall}\n")
    assert Group.objects.get(parent__key="hall").key == "site"


@pytest.mark.parametrize("text", ["groups:\n  a: {name: A, parent: a}", "groups:\n  a: {name: A, parent: b}\n  b: {name: B, parent: a}"])
def test_circles_are_refused(tenant: Tenant, text: str) -> None:
    assert "! groups/" in not_applied(tenant, f"version: 1\n{text}\n")
    assert not Group.objects.exists()


def test_another_tenant_s_things_are_out_of_reach(tenant: Tenant, other_tenant: Tenant) -> None:
    make_group(other_tenant, key="theirs")
    make_product(other_tenant, key="theirs")
    product = "{name: A, children: {register: true, product: theirs}}"
    said = not_applied(tenant, f"version: 1\ngroups:\n  a: {{name: A, parent: theirs}}\nproducts:\n  a: {product}\n")
    assert "! groups/a/parent:" in said
    assert "! products/a/children.product:" in said
    applied(tenant, "version: 1\ngroups: {}\nproducts: {}\n", prune=True)
    assert Group.objects.get().tenant == other_tenant
    assert "theirs" not in text_of(tenant)


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\ngroups: []",
        "version: 1\ngroups: {a: []}",
        "version: 1\ngroups: {a: {}}",
        "version: 1\ngroups: {a: {name: A, colour: red}}",
        "version: 1\ngroups: {'a b': {name: A}}",
        "version: 1\ngroups: {a: {name: 7}}",
        'version: 1\ngroups: {a: {name: "a\\0b"}}',
        "version: 1\ngroups: {a: {name: A, parent: [x]}}",
        "version: 1\nproducts: {a: {name: A, codec: lua}}",
        "version: 1\nproducts: {a: {name: A, codec: {kind: lua, path: /etc/passwd}}}",
        "version: 1\nproducts: {a: {name: A, offline_after: 1e3}}",
        "version: 1\nproducts: {a: {name: A, registration: {mode: open, secret_hash: x}}}",
        "version: 1\nproducts: {a: {name: A, thing_model: {properties: [{key: n, type: 1e999}]}}}",
        "version: 1\nmachines: {}",
    ],
)
def test_a_bad_document_has_problems_and_no_fault(tenant: Tenant, text: str) -> None:
    assert "! " in not_applied(tenant, text)
    assert not Group.objects.exists()


BOMB = "version: 1\na: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "version: 1"),
        ("[]", "version: 1"),
        ("version: 2", "version: 1"),
        ("version: '1'", "version: 1"),
        ("{", "line 2"),
        (BOMB, "anchors and aliases"),
        ("version: 1\ngroups: &x {}\n", "anchors and aliases"),
        ("version: 1\ngroups: !!python/object/apply:os.system ['id']\n", "tags"),
        ("version: 1\ngroups: !!binary aGk=\n", "tags"),
        ("version: 1\ngroups: {a: {name: A}, a: {name: B}}\n", "twice"),
        ("version: 1\ngroups: {1: {name: A}}\n", "no text"),
        ("version: 1\ngroups: {[a]: {name: A}}\n", "no text"),
        ("version: 1\n---\nversion: 1\n", "line 2"),
        ("version: 1\ngroups: " + "[" * 100 + "]" * 100, "deeper"),
        ("version: 1\ngroups: " + "{a: " * 5_000, "deeper"),
        (b"\xff\xfe\x00", "configuration"),
        ("version: 1\ngroups: \x07", "configuration"),
    ],
)
def test_a_hostile_document_is_refused_before_anything_is_built(text: Any, words: str) -> None:
    with pytest.raises(ApiError) as caught:
        document.read(text)
    assert caught.value.code == "bad_document"
    assert words in caught.value.message


def test_a_huge_document_is_refused() -> None:
    with pytest.raises(ApiError) as caught:
        document.read("version: 1\n#" + "x" * document.MAX_BYTES)
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    "value",
    [
        *["no", "on", "012", "1e3", "1_000", "0x1F", "12:30", "2024-01-01", "~", "", "null", "true", ".5", "-", " a ", "a: b", "#a", "a\n"],
        *["\n", "&a", "*a", "!a", "%a", "@a", "'", '"', "a\tb", "\tb\nc", "é\n设备", "a\r\nb", "x" * 300, "a \nb", "a\u2028b\nc"],
        *[0, -1, 2**62, 1.5, 1e300, 1e-7, True, None, [], {}, [[1]], {"a b": [{}]}],
    ],
)
def test_every_value_comes_back_as_it_was(value: Any) -> None:
    text = document.write({"version": 1, "a": value, "b": [value], "c": {"d": value}})
    found = document.read(text)
    assert found["b"] == [value]
    assert found["c"] == {"d": value}
    assert type(found["b"][0]) is type(value)


def test_the_commands_export_plan_and_apply(tenant: Tenant, other_tenant: Tenant, tmp_path: Path) -> None:
    plant(tenant)
    file = tmp_path / "home.yaml"
    call_command("export", tenant="home", output=str(file))
    said = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("plan", str(file), tenant="elsewhere", stdout=said)
    assert ended.value.code == 2
    assert "+ products/sensor" in said.getvalue()
    assert not Product.objects.for_tenant(other_tenant).exists()

    call_command("apply", str(file), tenant="elsewhere", stdout=said)
    call_command("plan", str(file), tenant="elsewhere", stdout=said)
    assert said.getvalue().endswith("Nothing would change.\n")


@pytest.mark.parametrize(
    ("text", "tenant_key", "words"),
    [
        ("version: 1\ngroups: []", "home", "nothing was changed"),
        ("{", "home", "line 2"),
        ("version: 1", "none", "no tenant"),
    ],
)
def test_the_command_says_what_is_wrong(tenant: Tenant, tmp_path: Path, text: str, tenant_key: str, words: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    with pytest.raises(CommandError, match=words):
        call_command("apply", str(file), tenant=tenant_key)


def send(api: Rest, path: str, text: str) -> Any:
    return api.client.post(f"/api/v1/config/{path}", text.encode(), content_type="application/yaml", headers=api.headers)


def test_the_document_over_rest(tenant: Tenant, owner: User, viewer: User) -> None:
    plant(tenant)
    api = Rest(owner)
    answer = Rest(viewer).get("config/")
    assert answer["Content-Type"].startswith("application/yaml")
    assert answer.content.decode() == text_of(tenant)

    changed = answer.content.decode().replace("name: Site", "name: Yard")
    plan = send(api, "plan/", changed).json()
    assert plan["changes"] == [
        {"kind": "groups", "slug": "site", "action": "update", "fields": [{"path": "name", "before": "Site", "after": "Yard"}]}
    ]
    assert send(api, "apply/?prune=1", changed).status_code == 200
    assert Group.objects.get(key="site").name == "Yard"
    assert send(api, "plan/", changed).json()["changes"] == []


def test_refusals_over_rest(tenant: Tenant, owner: User, viewer: User) -> None:
    api = Rest(owner)
    assert refused(send(api, "apply/", "version: 1\ngroups: {a: {}}"), 422, "not_applied")["problems"][0]["where"] == "groups/a/name"
    refused(send(api, "plan/", BOMB), 400, "bad_document")
    refused(send(api, "plan/", ""), 400, "bad_document")
    refused(send(Rest(viewer), "plan/", "version: 1"), 403, "permission_denied")
    refused(send(Rest(viewer), "apply/", "version: 1"), 403, "permission_denied")
    assert not Group.objects.exists()
