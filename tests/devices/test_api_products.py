"""Products by REST: whole life, what is refused, and the codec's workbench."""

import base64
from typing import Any

import pytest

from devices.models import Product
from iotpanel.tenants.models import Tenant, User
from tests.make import make_device, make_product
from tests.rest import Rest, refused, results

MODEL = {
    "properties": [
        {"key": "temperature", "name": "Temperature", "type": "number", "unit": "°C", "min": -40, "max": 85, "precision": 1, "period": 60}
    ],
    "attributes": [{"key": "firmware", "name": "Firmware", "type": "text"}],
    "events": [{"key": "door", "name": "Door", "params": [{"key": "open", "name": "Open", "type": "boolean"}]}],
    "commands": [{"key": "reboot", "name": "Reboot", "params": []}],
}
SCRIPT = "function decode(payload) return {temperature = string.byte(payload)} end"
CLIMATE = {"key": "climate", "name": "Climate", "thing_model": MODEL}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_a_products_life(owner: User) -> None:
    api = Rest(owner)
    created = api.post("products/", CLIMATE)
    assert created.status_code == 201, created.content
    shown = created.json()
    assert shown["thing_model"]["properties"][0]["unit"] == "°C"
    assert shown["codec"] == {"kind": "json", "script": "", "samples": []}
    assert (shown["offline_after"], shown["unknown_properties"], shown["topics"]) == (600, "accept", [])
    assert api.get("products/climate/").json() == shown
    patched = api.patch("products/climate/", {"offline_after": 60}).json()
    assert (patched["offline_after"], patched["name"]) == (60, "Climate")
    put = api.put("products/climate/", {"key": "climate", "name": "Room climate"}).json()
    assert (put["name"], put["offline_after"], put["thing_model"]["properties"]) == ("Room climate", 600, [])
    assert api.delete("products/climate/").status_code == 204
    refused(api.get("products/climate/"), 404, "not_found")


def test_lists_go_by_cursor_newest_first(owner: User, tenant: Tenant) -> None:
    for number in range(5):
        make_product(tenant, key=f"p{number}")
    api = Rest(owner)
    first = api.get("products/", limit=2).json()
    assert [row["key"] for row in first["results"]] == ["p4", "p3"]
    second = api.get("products/", limit=2, cursor=first["next"]).json()
    last = api.get("products/", limit=2, cursor=second["next"]).json()
    assert [row["key"] for row in second["results"] + last["results"]] == ["p2", "p1", "p0"]
    assert last["next"] is None
    assert [row["key"] for row in results(api.get("products/", order="at"))] == ["p0", "p1", "p2", "p3", "p4"]


@pytest.mark.parametrize(
    "query", [{"cursor": "x"}, {"cursor": "W10"}, {"cursor": "WzEsdHJ1ZV0"}, {"limit": "0"}, {"limit": "x"}, {"order": "name"}]
)
def test_a_wrong_cursor_limit_or_order_is_400(owner: User, query: dict[str, str]) -> None:
    assert set(refused(Rest(owner).get("products/", **query), 400, "invalid")) == set(query)


def test_search_finds_key_and_name(owner: User, tenant: Tenant) -> None:
    make_product(tenant, key="meter", name="Power meter")
    make_product(tenant, key="climate", name="Room climate")
    assert [row["key"] for row in results(Rest(owner).get("products/", search="ROOM"))] == ["climate"]
    assert results(Rest(owner).get("products/", search="%")) == []


def test_a_taken_key_is_409(owner: User, tenant: Tenant, other_tenant: Tenant) -> None:
    make_product(other_tenant, key="climate")
    assert Rest(owner).post("products/", CLIMATE).status_code == 201
    refused(Rest(owner).post("products/", CLIMATE), 409, "key_taken")


def test_a_product_with_devices_stays(owner: User, tenant: Tenant) -> None:
    device = make_device(tenant)
    refused(Rest(owner).delete(f"products/{device.product.key}/"), 409, "in_use")
    assert Product.objects.filter(pk=device.product_id).exists()


def test_a_key_is_for_good(owner: User, tenant: Tenant) -> None:
    make_product(tenant, key="climate")
    assert set(refused(Rest(owner).patch("products/climate/", {"key": "other"}), 400, "invalid")) == {"key"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": "a b"}, "key"),
        ({"key": "ключ"}, "key"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": None}, "name"),
        ({"name": "a\u0007b"}, "name"),
        ({"offline_after": -1}, "offline_after"),
        ({"offline_after": "soon"}, "offline_after"),
        ({"unknown_properties": "maybe"}, "unknown_properties"),
        ({"thing_model": []}, "thing_model"),
        ({"thing_model": {"properties": [{"key": "t", "type": "colour"}]}}, "thing_model"),
        ({"codec": {"kind": "lua"}}, "codec.script"),
        ({"codec": {"kind": "lua", "script": "function decode("}}, "codec.script"),
        (
            {"codec": {"kind": "lua", "script": SCRIPT, "samples": [{"hex": "15", "expected": [{"values": {"temperature": 22}}]}]}},
            "codec.samples",
        ),
        ({"codec": "lua"}, "codec"),
        ({"topics": "tele/#"}, "topics"),
        ({"topics": ["tele/+/SENSOR"]}, "topics"),
        ({"children": {"register": True}}, "children.product"),
        ({"children": {"register": True, "product": "no-such"}}, "children"),
        ({"retention_days": 0}, "retention_days"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_saved(owner: User, change: dict[str, Any], field: str) -> None:
    assert set(refused(Rest(owner).post("products/", CLIMATE | change), 400, "invalid")) == {field}
    assert not Product.objects.exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "parse_error"),
        (b'{"a": NaN}', "parse_error"),
        (b"[" * 10_000, "parse_error"),
        (b'{"name": "\\u0000"}', "invalid"),  # JSON it is, and its field is named
        (b"\xff", "parse_error"),
    ],
)
def test_what_is_not_json_is_400(owner: User, body: bytes, code: str) -> None:
    refused(Rest(owner).post("products/", body), 400, code)


def test_a_body_of_megabytes_is_413(owner: User) -> None:
    refused(Rest(owner).post("products/", b'"' + b"x" * 5_000_000 + b'"'), 413, "too_large")


def test_a_list_or_text_for_an_object_is_400(owner: User) -> None:
    for body in (b"[]", b'"x"', b"1", b"null"):
        refused(Rest(owner).post("products/", body), 400, "invalid")


def test_a_product_with_a_script_and_samples(owner: User) -> None:
    codec = {"kind": "lua", "script": SCRIPT, "samples": [{"payload_base64": b64(b"\x15"), "expected": [{"values": {"temperature": 21}}]}]}
    shown = Rest(owner).post("products/", CLIMATE | {"codec": codec}).json()
    assert shown["codec"]["script"] == SCRIPT
    assert len(shown["codec"]["samples"]) == 1


def test_children_name_a_product_of_the_same_tenant(owner: User, tenant: Tenant, other_tenant: Tenant) -> None:
    make_product(tenant, key="node")
    make_product(other_tenant, key="foreign")
    shown = Rest(owner).post("products/", CLIMATE | {"children": {"register": True, "product": "node"}}).json()
    assert shown["children"] == {"register": True, "product": "node"}
    refused(Rest(owner).patch("products/climate/", {"children": {"product": "foreign"}}), 400, "invalid")


def test_the_workbench_tries_a_script(owner: User, tenant: Tenant) -> None:
    make_product(tenant, key="climate")
    frames = [{"payload_base64": b64(b"\x15")}, {"payload_base64": ""}]
    answer = Rest(owner).post("products/climate/codec/test/", {"script": SCRIPT + "\n" + "", "frames": frames})
    assert answer.status_code == 200, answer.content
    good, nothing = answer.json()
    assert good == {"reports": [{"ts": None, "values": {"temperature": 21}}], "log": []}
    assert nothing["reports"] == [] or "error" in nothing
    failing = Rest(owner).post("products/climate/codec/test/", {"script": "function decode() error('no') end", "frames": frames[:1]}).json()
    assert failing[0]["error"]["code"] == "codec_error"
    assert Product.objects.get().codec_script == ""


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"script": "function decode(", "frames": []}, "script"),
        ({"script": SCRIPT, "frames": [{"payload_base64": "%"}]}, "frames.0.payload_base64"),
        ({"script": SCRIPT}, "frames"),
        ({"frames": []}, "script"),
    ],
)
def test_the_workbench_names_what_is_wrong(owner: User, tenant: Tenant, body: dict[str, Any], field: str) -> None:
    make_product(tenant, key="climate")
    assert set(refused(Rest(owner).post("products/climate/codec/test/", body), 400, "invalid")) == {field}


def test_a_viewer_reads_and_a_stranger_sees_nothing(viewer: User, stranger: User, tenant: Tenant) -> None:
    make_product(tenant, key="climate")
    assert len(results(Rest(viewer).get("products/"))) == 1
    refused(Rest(viewer).post("products/", CLIMATE), 403, "permission_denied")
    refused(Rest(viewer).patch("products/climate/", {"name": "x"}), 403, "permission_denied")
    assert results(Rest(stranger).get("products/")) == []
    for answer in (
        Rest(stranger).get("products/climate/"),
        Rest(stranger).patch("products/climate/", {}),
        Rest(stranger).delete("products/climate/"),
    ):
        refused(answer, 404, "not_found")
