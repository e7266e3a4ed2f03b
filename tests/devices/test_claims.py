"""Claim codes: who holds the code gets the device, once, in time, into their own tenant."""

from datetime import timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings

from devices.credentials import verify_secret
from devices.enrolment import claims, many, policies, qr
from devices.enrolment.registration import register
from devices.models import Claim, Device, DevicePresence, Product
from iotpanel.api.errors import ApiError, Conflict, Forbidden, Unauthorized, Unprocessable
from iotpanel.tenants.models import Tenant, User
from tests.make import make_device, make_device_with_secret, make_group, make_product

pytestmark = pytest.mark.django_db


def refused(tenant: Tenant, code: str, **kwargs: Any) -> str:
    with pytest.raises(ApiError) as caught:
        claims.claim(tenant, code, **kwargs)
    return caught.value.code


def test_a_prepared_device_is_disabled_until_it_is_claimed(tenant: Tenant) -> None:
    device, secret = make_device_with_secret(tenant, key="pump-1")
    _claim, code = claims.prepare(device)
    assert verify_secret("pump-1", secret) is None

    hall = make_group(tenant, key="hall")
    claimed = claims.claim(tenant, code, name="Pump in the hall", groups=[hall])

    assert (claimed.pk, claimed.name, claimed.enabled, list(claimed.groups.all())) == (device.pk, "Pump in the hall", True, [hall])
    assert verify_secret("pump-1", secret) == device


@pytest.mark.parametrize("way", [str.lower, lambda code: code.replace("-", " "), lambda code: code.replace("0", "o").replace("1", "L")])
def test_people_type_codes_in_many_ways(tenant: Tenant, way: Any) -> None:
    _claim, code = claims.prepare(make_device(tenant))
    assert claims.claim(tenant, way(code)).enabled


def test_the_code_is_not_kept(tenant: Tenant) -> None:
    made, code = claims.prepare(make_device(tenant))
    assert code.replace("-", "") not in made.digest
    assert len(code.replace("-", "")) == claims.LENGTH


def test_a_code_works_once(tenant: Tenant) -> None:
    _claim, code = claims.prepare(make_device(tenant))
    claims.claim(tenant, code)
    assert refused(tenant, code) == "code_used"


def test_a_code_expires(tenant: Tenant) -> None:
    made, code = claims.prepare(make_device(tenant), days=1)
    Claim.objects.filter(pk=made.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert refused(tenant, code) == "code_expired"
    assert not Device.objects.get().enabled


def test_a_new_code_ends_the_old_one(tenant: Tenant) -> None:
    device = make_device(tenant)
    _first, old = claims.prepare(device)
    _second, new = claims.prepare(device)
    assert refused(tenant, old) == "wrong_code"
    assert claims.claim(tenant, new) == device


def test_a_revoked_code_opens_nothing_and_its_device_stays_disabled(tenant: Tenant) -> None:
    made, code = claims.prepare(make_device(tenant))
    claims.revoke(made)
    assert refused(tenant, code) == "wrong_code"
    assert not Device.objects.get().enabled
    claims.revoke(made)  # somebody else was quicker


def test_a_code_that_was_used_is_not_revoked(tenant: Tenant, owner: User) -> None:
    made, code = claims.prepare(make_device(tenant))
    claims.claim(tenant, code, person=owner)
    with pytest.raises(Conflict) as caught:
        claims.revoke(made)
    assert caught.value.code == "code_used"
    assert Claim.objects.get().claimed_by == owner


def test_codes_are_found_by_their_state(tenant: Tenant) -> None:
    for key in ("waiting", "claimed", "expired"):
        _made, code = claims.prepare(make_device(tenant, key=key))
        if key == "claimed":
            claims.claim(tenant, code)
    Claim.objects.exclude(device__key="waiting").update(expires_at=timezone.now())  # a claimed one does not expire

    for key in ("waiting", "claimed", "expired"):
        found = Claim.objects.in_state(key).get()
        assert (found.device.key, found.state) == (key, key)


@pytest.mark.parametrize("code", ["", "x", "0000-0000-0000-0000", "' OR 1=1", "🦄", "A" * 60])
def test_a_made_up_code_opens_nothing(tenant: Tenant, code: str) -> None:
    claims.prepare(make_device(tenant))
    assert refused(tenant, code) == "wrong_code"


def test_a_code_that_is_not_transferable_is_unknown_elsewhere(tenant: Tenant, other_tenant: Tenant) -> None:
    _claim, code = claims.prepare(make_device(tenant))
    assert refused(other_tenant, code) == "wrong_code"
    assert Device.objects.get().tenant == tenant


def test_a_transferable_device_moves_with_its_credentials_and_nothing_else(tenant: Tenant, other_tenant: Tenant) -> None:
    product = make_product(tenant, key="climate", thing_model={"properties": [{"key": "t", "type": "number"}]})
    device, secret = make_device_with_secret(tenant, product=product, key="box-1", groups=[make_group(tenant)])
    _claim, code = claims.prepare(device, transferable=True)

    moved = claims.claim(other_tenant, code)

    assert (moved.pk, moved.tenant, moved.product.key, moved.product.tenant) == (device.pk, other_tenant, "climate", other_tenant)
    assert moved.product.thing_model == product.thing_model
    assert list(moved.groups.all()) == []
    assert verify_secret("box-1", secret) == device


def test_the_claimant_s_own_product_of_the_key_is_used(tenant: Tenant, other_tenant: Tenant) -> None:
    own = make_product(other_tenant, key="climate")
    _claim, code = claims.prepare(make_device(tenant, product=make_product(tenant, key="climate")), transferable=True)
    assert claims.claim(other_tenant, code).product == own
    assert Product.objects.count() == 2


def test_who_may_not_edit_devices_moves_none(tenant: Tenant, other_tenant: Tenant) -> None:
    _claim, code = claims.prepare(make_device(tenant), transferable=True)
    with pytest.raises(Forbidden):
        claims.claim(other_tenant, code, may_transfer=False)
    assert claims.claim(tenant, code, may_transfer=False).tenant == tenant


def test_the_maker_s_product_secret_opens_a_moved_device_no_more(tenant: Tenant, other_tenant: Tenant) -> None:
    product = make_product(tenant, key="climate")
    policies.set_policy(product, mode="open")
    secret = policies.new_product_secret(product)
    found = register("home/climate", secret, "SN-1")
    assert found is not None
    _claim, code = claims.prepare(found.device, transferable=True)
    claims.claim(other_tenant, code)

    with pytest.raises((Conflict, Unauthorized)) as caught:
        register("home/climate", secret, "SN-1")
    assert caught.value.code == "already_registered"
    assert verify_secret("SN-1", found.secret) == found.device


def test_a_device_in_use_is_not_prepared(tenant: Tenant) -> None:
    device = make_device(tenant)
    DevicePresence.objects.filter(device=device).update(last_seen=timezone.now())
    with pytest.raises(Conflict) as caught:
        claims.prepare(device)
    assert caught.value.code == "in_use"


@pytest.mark.parametrize("days", [0, -1, 100_000, True, "7"])
def test_a_code_lasts_some_days(tenant: Tenant, days: Any) -> None:
    with pytest.raises(ValidationError):
        claims.prepare(make_device(tenant), days=days)


def test_codes_survive_a_change_of_the_secret_key(tenant: Tenant, settings: Settings) -> None:
    _claim, code = claims.prepare(make_device(tenant))
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one, which is long enough for everybody"
    assert claims.claim(tenant, code).enabled


def test_a_group_of_another_tenant_is_refused(tenant: Tenant, other_tenant: Tenant) -> None:
    _claim, code = claims.prepare(make_device(tenant))
    with pytest.raises(ValidationError):
        claims.claim(tenant, code, groups=[make_group(other_tenant)])


def test_the_picture_is_one_path_and_its_words_are_text() -> None:
    drawn = qr.svg("https://panel.example.org/devices/-/claim/?code=7K2M", '"><script>')
    root = ElementTree.fromstring(drawn)
    assert root.attrib["aria-label"] == '"><script>'
    assert len(root) == 2
    assert root[1].attrib["d"].startswith("M4 4h1v1h-1z")


def test_many_devices_are_made_at_once(tenant: Tenant) -> None:
    product = make_product(tenant)
    made = many.create_many(tenant, product, many.numbered("pump-##", 3, 9))

    assert [each.key for each in made] == ["pump-09", "pump-10", "pump-11"]
    assert all(verify_secret(each.key, each.secret) is not None for each in made)
    assert len({each.secret for each in made}) == 3
    assert DevicePresence.objects.count() == 3
    assert "".join(many.lines(made)).splitlines()[0] == "key,username,secret,claim_code"


def test_many_devices_with_codes_wait_to_be_claimed(tenant: Tenant, other_tenant: Tenant) -> None:
    made = many.create_many(tenant, make_product(tenant), ["a", "b"], claim_days=30, transferable=True)
    assert verify_secret("a", made[0].secret) is None
    assert claims.claim(other_tenant, made[0].code).key == "a"
    assert claims.claim(tenant, made[1].code).key == "b"


def test_all_of_them_or_none(tenant: Tenant, other_tenant: Tenant) -> None:
    make_device(tenant, key="mine")
    make_device(other_tenant, key="theirs")
    product = make_product(tenant)
    with pytest.raises(Conflict) as caught:
        many.create_many(tenant, product, ["new", "mine", "theirs"])
    assert caught.value.details == {"keys": ["mine"]}, "what other tenants have is not told"
    assert not Device.objects.filter(key="new").exists()


@pytest.mark.parametrize("keys", [[], ["a", "a"], ["=1+1"], ["+x"], [None], [7], ["a/b"], ["iotpanel-x"]])
def test_bad_keys_are_named(tenant: Tenant, keys: list[Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        many.create_many(tenant, make_product(tenant), keys)
    assert "keys" in caught.value.message_dict


@pytest.mark.parametrize(("pattern", "count", "first"), [("pump", 1, 1), ("#-#", 1, 1), ("p-#", 10, 1), ("p-##", 0, 1), ("p-#", 1, -1)])
def test_a_bad_pattern_is_refused(pattern: str, count: int, first: int) -> None:
    with pytest.raises(ValidationError):
        many.numbered(pattern, count, first)


def test_a_foreign_product_is_refused(tenant: Tenant, other_tenant: Tenant) -> None:
    with pytest.raises(ValidationError):
        many.create_many(tenant, make_product(other_tenant), ["a"])


def test_nobody_guesses_faster_for_having_a_code(tenant: Tenant) -> None:
    with pytest.raises(Unprocessable):
        claims.claim(tenant, claims.make_code())
