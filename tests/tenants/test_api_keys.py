"""API keys by their verbs: shown once, found by digest, never above their maker."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings

from iotpanel.tenants import api_keys
from iotpanel.tenants.encryption import decrypt, encrypt
from iotpanel.tenants.models import ApiKey, Role, Tenant, User
from tests.make import make_api_key, make_member

pytestmark = pytest.mark.django_db


def refused(call: Any, *args: Any, **kwargs: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        call(*args, **kwargs)
    return dict(caught.value.message_dict)


def test_a_key_is_found_by_its_text(tenant: Tenant) -> None:
    api_key, key, signing_secret = make_api_key(tenant, scopes=["devices:read"])
    found = api_keys.find(key)
    assert found == api_key
    assert found is not None
    assert found.tenant == tenant
    assert api_keys.signing_secret(found) == signing_secret
    assert api_keys.find_by_prefix(api_key.prefix) == api_key


def test_neither_key_nor_secret_is_kept_in_readable_form(tenant: Tenant) -> None:
    _api_key, key, signing_secret = make_api_key(tenant)
    row = ApiKey.objects.values().get()
    kept = " ".join(str(bytes(value) if isinstance(value, memoryview) else value) for value in row.values())
    assert key not in kept
    assert signing_secret not in kept


@pytest.mark.parametrize("key", ["", "iot_", "iot_0000000000_x", "\x00", "\ud800", "x" * 10_000])
def test_any_other_text_finds_nothing(tenant: Tenant, key: str) -> None:
    make_api_key(tenant)
    assert api_keys.find(key) is None
    assert api_keys.find_by_prefix(key) is None


def test_an_expired_key_is_none(tenant: Tenant) -> None:
    api_key, key, _secret = make_api_key(tenant, expires_at=timezone.now() + timedelta(hours=1))
    assert api_keys.find(key)
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert api_keys.find(key) is None
    assert api_keys.find_by_prefix(api_key.prefix) is None


def test_a_revoked_key_is_none(tenant: Tenant) -> None:
    api_key, key, _secret = make_api_key(tenant)
    api_keys.revoke(api_key)
    assert api_keys.find(key) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "\x00"),
        ("role", "king"),
        ("scopes", ["devices"]),
        ("scopes", ["devices:delete"]),
        ("scopes", ["devices:read\n"]),
        ("scopes", "devices:read"),
        ("scopes", [5]),
        ("scopes", ["devices:read"] * 65),
        ("expires_at", timezone.now() - timedelta(days=1)),
        ("expires_at", "tomorrow"),
    ],
)
def test_a_bad_value_is_named(tenant: Tenant, field: str, value: Any) -> None:
    assert list(refused(make_api_key, tenant, **{field: value})) == [field]


def test_nobody_gives_more_than_they_have(tenant: Tenant) -> None:
    admin = make_member(tenant, Role.ADMIN)
    assert "role" in refused(make_api_key, tenant, role="owner", created_by=admin)
    api_key, _key, _secret = make_api_key(tenant, role="admin", created_by=admin)
    assert "role" in refused(api_keys.update_api_key, api_key, role="owner", changed_by=admin)
    api_key.refresh_from_db()
    assert api_key.role == "admin"


def test_a_stranger_issues_nothing_here(tenant: Tenant, stranger: User) -> None:
    assert "role" in refused(make_api_key, tenant, role="viewer", created_by=stranger)


def test_update(tenant: Tenant) -> None:
    api_key, key, _secret = make_api_key(tenant)
    api_keys.update_api_key(api_key, name="New", scopes=["devices:write", "devices:read"])
    found = api_keys.find(key)
    assert found is not None
    assert (found.name, found.scopes) == ("New", ["devices:read", "devices:write"])
    assert "digest" in refused(api_keys.update_api_key, api_key, digest="x")


class TestEncryption:
    def test_round_trip(self) -> None:
        assert decrypt(encrypt("geheim 密", purpose="a"), purpose="a") == "geheim 密"

    def test_for_one_purpose_only(self) -> None:
        with pytest.raises(ValueError, match="SECRET_KEY"):
            decrypt(encrypt("x", purpose="a"), purpose="b")

    def test_what_was_tampered_with_is_refused(self) -> None:
        token = bytearray(encrypt("x", purpose="a"))
        token[20] ^= 1
        with pytest.raises(ValueError, match="SECRET_KEY"):
            decrypt(bytes(token), purpose="a")

    def test_the_key_can_be_changed(self, settings: Settings) -> None:
        token = encrypt("x", purpose="a")
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another"
        assert decrypt(token, purpose="a") == "x"
        settings.SECRET_KEY_FALLBACKS = []
        with pytest.raises(ValueError, match="SECRET_KEY"):
            decrypt(token, purpose="a")
