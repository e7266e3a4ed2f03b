"""API keys by REST: shown once, bound to a tenant, a role, scopes and an end; and signed requests."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.conf import settings
from django.test import AsyncRequestFactory, Client
from django.utils import timezone

from iotpanel.tenants.api.signatures import path_as_sent, sign, text_to_sign
from iotpanel.tenants.models import ApiKey, Role, Tenant, User
from tests.make import make_api_key, make_device, make_group, make_member, make_product
from tests.rest import Rest, refused, results


def test_a_key_is_shown_once_and_opens_the_api(owner: User, tenant: Tenant) -> None:
    answer = Rest(owner).post("api-keys/", {"name": "Importer", "role": "admin", "scopes": ["groups:write"]})
    assert answer.status_code == 201, answer.content
    created = answer.json()
    shown = Rest(owner).get(f"api-keys/{created['id']}/").json()
    assert not {"key", "signing_secret"} & set(shown)
    assert created["key"].startswith(shown["prefix"])
    assert (shown["created_by"], shown["last_used_at"]) == ("olga", None)
    assert Rest(bearer=created["key"]).post("groups/", {"key": "hall", "name": "Hall"}).status_code == 201
    assert Rest(owner).get(f"api-keys/{created['id']}/").json()["last_used_at"]
    assert Rest(bearer=created["key"]).get("me/").json() == {
        "username": shown["prefix"],
        "tenants": [{"key": "home", "name": "Home", "role": "admin"}],
    }
    assert Rest(owner).delete(f"api-keys/{created['id']}/").status_code == 204
    refused(Rest(bearer=created["key"]).get("groups/"), 401, "authentication_failed")


def test_neither_key_nor_secret_is_kept_in_the_clear(tenant: Tenant) -> None:
    api_key, key, secret = make_api_key(tenant)
    row = ApiKey.objects.filter(pk=api_key.pk).values().get()
    assert key not in str(row)
    assert secret.encode() not in bytes(row["signing_secret"] or b"")


def test_a_key_can_be_changed_and_narrowed(owner: User, tenant: Tenant) -> None:
    api_key, key, _secret = make_api_key(tenant)
    assert Rest(bearer=key).get("devices/").status_code == 200
    shown = Rest(owner).patch(f"api-keys/{api_key.pk}/", {"scopes": ["groups:read"], "role": "viewer"}).json()
    assert (shown["scopes"], shown["role"]) == (["groups:read"], "viewer")
    refused(Rest(bearer=key).get("devices/"), 403, "permission_denied")
    whole = Rest(owner).put(f"api-keys/{api_key.pk}/", {"name": "N", "role": "viewer"}).json()
    assert whole["scopes"] == []


@pytest.mark.parametrize(
    ("scopes", "role", "reads", "writes"),
    [
        ([], Role.ADMIN, 200, 201),
        (["groups:write"], Role.ADMIN, 200, 201),
        (["groups:read"], Role.ADMIN, 200, 403),
        (["devices:write"], Role.ADMIN, 403, 403),
        (["groups:write"], Role.VIEWER, 200, 403),
        ([], Role.VIEWER, 200, 403),
    ],
)
def test_role_and_scopes_both_have_to_allow(tenant: Tenant, scopes: list[str], role: Role, reads: int, writes: int) -> None:
    api = Rest(bearer=make_api_key(tenant, scopes=scopes, role=role)[1])
    assert api.get("groups/").status_code == reads
    assert api.post("groups/", {"key": "hall", "name": "Hall"}).status_code == writes


def test_a_key_works_in_its_tenant_only(tenant: Tenant, other_tenant: Tenant) -> None:
    _api_key, key, _secret = make_api_key(tenant)
    make_device(other_tenant, key="theirs")
    refused(Rest(bearer=key, tenant="elsewhere").get("devices/"), 403, "foreign_tenant")
    assert Rest(bearer=key, tenant="home").get("devices/").status_code == 200
    refused(Rest(bearer=key).get("devices/theirs/"), 404, "not_found")
    refused(Rest(bearer=key).get("tenants/home/"), 403, "permission_denied")


def test_an_expired_key_is_401(tenant: Tenant) -> None:
    api_key, key, _secret = make_api_key(tenant)
    ApiKey.objects.filter(pk=api_key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    refused(Rest(bearer=key).get("devices/"), 401, "authentication_failed")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"role": "king"}, "role"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"scopes": "devices:read"}, "scopes"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"name": ""}, "name"),
    ],
)
def test_what_is_wrong_is_named(owner: User, change: dict[str, Any], field: str) -> None:
    assert set(refused(Rest(owner).post("api-keys/", {"name": "N", "role": "viewer"} | change), 400, "invalid")) == {field}
    assert not ApiKey.objects.exists()


def test_nobody_hands_out_more_than_they_have(tenant: Tenant) -> None:
    admin = Rest(make_member(tenant, Role.ADMIN))
    assert set(refused(admin.post("api-keys/", {"name": "N", "role": "owner"}), 400, "invalid")) == {"role"}
    service = Rest(bearer=make_api_key(tenant, role=Role.ADMIN, scopes=["api-keys:write", "groups:read"])[1])
    assert set(refused(service.post("api-keys/", {"name": "N", "role": "owner", "scopes": ["groups:read"]}), 400, "invalid")) == {"role"}
    for scopes in ([], ["devices:read"], ["groups:read", "devices:read"]):
        assert set(refused(service.post("api-keys/", {"name": "N", "role": "viewer", "scopes": scopes}), 400, "invalid")) == {"scopes"}
    assert service.post("api-keys/", {"name": "N", "role": "viewer", "scopes": ["groups:read"]}).status_code == 201


def test_a_narrowed_key_cannot_widen_itself_or_others(tenant: Tenant) -> None:
    mine, key, _secret = make_api_key(tenant, role=Role.ADMIN, scopes=["api-keys:write"])
    wide, _key, _secret = make_api_key(tenant, role=Role.OWNER)
    service = Rest(bearer=key)
    refused(service.patch(f"api-keys/{mine.pk}/", {"scopes": []}), 400, "invalid")
    refused(service.patch(f"api-keys/{mine.pk}/", {"role": "owner"}), 400, "invalid")
    refused(service.patch(f"api-keys/{wide.pk}/", {"name": "mine now"}), 400, "invalid")


def test_only_admins_see_keys(viewer: User, stranger: User, tenant: Tenant) -> None:
    api_key, _key, _secret = make_api_key(tenant)
    refused(Rest(viewer).get("api-keys/"), 403, "permission_denied")
    assert results(Rest(stranger).get("api-keys/")) == []
    for answer in (Rest(stranger).get(f"api-keys/{api_key.pk}/"), Rest(stranger).delete(f"api-keys/{api_key.pk}/")):
        refused(answer, 404, "not_found")


class Signer:
    """Signs requests as docs/api.md says."""

    def __init__(self, tenant: Tenant, **key: Any) -> None:
        self.api_key, _text, self.secret = make_api_key(tenant, **key)
        self.number = 0

    def send(self, method: str, path: str, body: bytes = b"", query: str = "", **changes: Any) -> Any:
        """Sends a request whose signature is right, but for the changes to its parts."""
        self.number += 1
        parts = {"id": self.api_key.prefix, "ts": str(int(time.time() * 1000)), "nonce": f"{self.api_key.prefix}-{self.number}"} | changes
        signed = [parts.pop(f"signed_{name}", value) for name, value in (("method", method), ("path", path), ("query", query))]
        text = text_to_sign(signed[0], signed[1], signed[2], body, parts["ts"], parts["nonce"])
        parts.setdefault("sig", sign(self.secret, text))
        header = "HMAC " + ", ".join(f"{name}={value}" for name, value in parts.items())
        address = f"{path}?{query}" if query else path
        return Client().generic(method, address, body, content_type="application/json", headers={"Authorization": header})


@pytest.fixture
def signer(tenant: Tenant) -> Signer:
    return Signer(tenant)


def test_a_signed_request_passes(signer: Signer, tenant: Tenant) -> None:
    assert signer.send("GET", "/api/v1/groups/").status_code == 200
    body = orjson.dumps({"key": "hall", "name": "Hall é"})
    assert signer.send("POST", "/api/v1/groups/", body).json()["name"] == "Hall é"
    make_group(tenant, key="other")
    answer = signer.send("GET", "/api/v1/groups/", query="search=hall&limit=5&search=%C3%A9")
    assert answer.status_code == 200
    assert signer.send("GET", "/api/v1/groups/", ts=str(int(time.time()))).status_code == 200


def test_the_order_of_the_query_does_not_matter(signer: Signer) -> None:
    assert signer.send("GET", "/api/v1/groups/", query="search=x&limit=5", signed_query="limit=5&search=x").status_code == 200


def test_a_changed_query_is_401(signer: Signer) -> None:
    refused(signer.send("GET", "/api/v1/groups/", query="limit=500", signed_query="limit=5"), 401, "authentication_failed")


@pytest.mark.parametrize(
    "changes",
    [
        {"signed_method": "POST"},
        {"signed_path": "/api/v1/devices/"},
        {"sig": "0" * 64},
        {"sig": "é"},
        {"id": "iot_nobody"},
        {"ts": "1"},
        {"ts": "now"},
        {"ts": str(int(time.time() + 3600) * 1000)},
        {"nonce": "short"},
        {"nonce": "with space in it"},
        {"extra": "1"},
        {"nonce": ""},
    ],
)
def test_a_wrong_signature_is_401(signer: Signer, changes: dict[str, Any]) -> None:
    refused(signer.send("GET", "/api/v1/groups/", **changes), 401, "authentication_failed")


def test_the_path_counts_as_it_was_sent() -> None:
    request: Any = AsyncRequestFactory().get("/api/v1/members/a+b/")
    assert path_as_sent(request) == "/api/v1/members/a+b/"
    request.scope["raw_path"] = b"/api/v1/members/a%2Bb/"
    assert path_as_sent(request) == "/api/v1/members/a%2Bb/"


def test_a_changed_body_is_401(signer: Signer) -> None:
    text = text_to_sign("POST", "/api/v1/groups/", "", b'{"key":"a","name":"A"}', "1", "n")
    sig = sign(signer.secret, text)
    refused(signer.send("POST", "/api/v1/groups/", b'{"key":"b","name":"B"}', sig=sig), 401, "authentication_failed")


def test_a_request_cannot_be_sent_again(signer: Signer) -> None:
    nonce = f"{signer.api_key.prefix}-once"
    assert signer.send("GET", "/api/v1/groups/", nonce=nonce).status_code == 200
    refused(signer.send("GET", "/api/v1/groups/", nonce=nonce), 401, "authentication_failed")


def test_a_wrong_signature_uses_up_no_nonce(signer: Signer) -> None:
    nonce = f"{signer.api_key.prefix}-mine"
    refused(signer.send("GET", "/api/v1/groups/", nonce=nonce, sig="0" * 64), 401, "authentication_failed")
    assert signer.send("GET", "/api/v1/groups/", nonce=nonce).status_code == 200


def test_without_a_memory_for_nonces_nothing_signed_passes(signer: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr("iotpanel.tenants.api.signatures.cache.add", broken)
    refused(signer.send("GET", "/api/v1/groups/"), 503, "unavailable")


def test_a_signed_request_obeys_role_and_scopes(tenant: Tenant) -> None:
    signer = Signer(tenant, role=Role.VIEWER)
    refused(signer.send("POST", "/api/v1/groups/", b"{}"), 403, "permission_denied")
    make_product(tenant, key="climate")
    narrow = Signer(tenant, scopes=["groups:read"])
    refused(narrow.send("GET", "/api/v1/products/climate/"), 403, "permission_denied")


def test_the_documented_example_signs_right(tenant: Tenant) -> None:
    example = next(
        block for block in (Path(settings.BASE_DIR) / "docs" / "api.md").read_text().split("```python\n")[1:] if "def signed" in block
    )
    api_key, _key, secret = make_api_key(tenant)
    names: dict[str, Any] = {"SIGNING_SECRET": secret, "PREFIX": api_key.prefix, "SERVER": ""}
    exec(example.partition("```")[0], names)
    names["httpx"] = Sender
    body = orjson.dumps({"key": "hall", "name": "Hall"})
    assert names["signed"]("POST", "/api/v1/groups/", "b=2&a=1", body).status_code == 201
    assert names["signed"]("GET", "/api/v1/groups/", "order=at&limit=5").json()["results"][0]["key"] == "hall"


class Sender:
    """Stands for httpx: the request goes to Django instead."""

    @staticmethod
    def request(method: str, address: str, *, content: bytes, headers: dict[str, str]) -> Any:
        return Client().generic(method, address, content, headers=headers, content_type=headers["Content-Type"])
