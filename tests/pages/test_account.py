"""A person's own account."""

import pytest
from django.utils import timezone
from knox.models import AuthToken

from iotpanel.tenants.models import Tenant, User
from tests import make
from tests.pages.people import browser, words

SENT = {"first_name": "Olga", "last_name": "P", "email": "olga@example.org", "language": "", "time_zone": "", "single_key_shortcuts": "on"}


def test_the_profile_is_kept(owner: User) -> None:
    answer = browser(owner).post("/account/", SENT | {"time_zone": "Asia/Shanghai"})
    assert answer["Location"] == "/account/"

    owner.refresh_from_db()
    assert (owner.first_name, owner.time_zone, owner.single_key_shortcuts) == ("Olga", "Asia/Shanghai", True)


@pytest.mark.parametrize(("field", "value"), [("time_zone", "Mars/Olympus"), ("language", "tlh"), ("email", "no address")])
def test_a_mistake_is_named_beside_its_field(field: str, value: str, owner: User) -> None:
    answer = browser(owner).post("/account/", SENT | {field: value})

    assert answer.status_code == 200
    assert f'id="id_{field}-error"' in answer.content.decode()


def test_nobody_makes_themselves_a_superuser(owner: User) -> None:
    browser(owner).post("/account/", SENT | {"is_superuser": "on", "is_staff": "on", "username": "root"})

    owner.refresh_from_db()
    assert (owner.username, owner.is_superuser) == ("olga", False)


def test_single_keys_can_be_switched_off(owner: User) -> None:
    client = browser(owner)
    assert 'data-single-keys="on"' in client.get("/account/").content.decode()
    client.post("/account/", {key: value for key, value in SENT.items() if key != "single_key_shortcuts"})

    assert 'data-single-keys="off"' in client.get("/account/").content.decode()


def test_times_are_told_in_the_persons_zone(owner: User, tenant: Tenant) -> None:
    device = make.make_device(tenant)
    at = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)
    type(device.presence).objects.filter(device=device).update(last_seen=at, online=True)
    User.objects.filter(pk=owner.pk).update(time_zone="Asia/Tokyo")
    assert "21:00:00 JST" in browser(owner).get("/devices/").content.decode()

    User.objects.filter(pk=owner.pk).update(time_zone="")
    client = browser(owner)
    client.cookies["iotpanel_tz"] = "America%2FNew_York"
    assert "07:00:00 EST" in client.get("/devices/").content.decode() or "08:00:00 EDT" in client.get("/devices/").content.decode()
    client.cookies["iotpanel_tz"] = "../../etc/passwd"
    assert "12:00:00 UTC" in client.get("/devices/").content.decode()


def test_tokens_are_listed_and_revoked_by_their_owner_alone(owner: User, stranger: User) -> None:
    token, text = AuthToken.objects.create(owner)
    shown = browser(owner).get("/account/").content
    assert token.token_key in words(shown)
    assert text not in shown.decode()

    browser(stranger).post(f"/account/tokens/{token.token_key}/revoke/")
    assert AuthToken.objects.filter(user=owner).count() == 1
    browser(owner).post(f"/account/tokens/{token.token_key}/revoke/")
    assert AuthToken.objects.filter(user=owner).count() == 0


def test_the_password_can_be_changed(owner: User) -> None:
    client = browser(owner)
    assert client.get("/accounts/password/change/").status_code == 200
    new = "an even better horse"
    client.post("/accounts/password/change/", {"oldpassword": make.PASSWORD, "password1": new, "password2": new})

    owner.refresh_from_db()
    assert owner.check_password(new)
