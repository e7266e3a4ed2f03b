"""On-call rotations as a page: who is called now and next; made, changed and deleted by admins of the tenant."""

from datetime import timedelta

import pytest
from django.utils import timezone

from iotpanel.pages.rotations import turns
from iotpanel.tenants.models import Role, Tenant, User
from rules.models import Rotation
from tests import make
from tests.pages.people import browser, words

FORM = {"key": "night", "name": "Night", "period": "7", "starts_at": "2026-01-01T08:00"}


@pytest.fixture
def admin(tenant: Tenant) -> User:
    return make.make_member(tenant, Role.ADMIN, username="anna")


def test_one_is_made_with_people_in_turn(admin: User, viewer: User, tenant: Tenant) -> None:
    browser(admin).post("/rotations/-/new/", FORM | {"people": [viewer.username, "anna", "", ""]})
    made = Rotation.objects.for_tenant(tenant).get()

    assert (made.key, made.people, made.period) == ("night", [viewer.username, "anna"], 7)
    browser(admin).post("/rotations/night/", FORM | {"name": "Nights", "people": ["anna"], "period": "1"})
    made.refresh_from_db()
    assert (made.name, made.people, made.period) == ("Nights", ["anna"], 1)
    browser(admin).post("/rotations/night/delete/")
    assert not Rotation.objects.exists()


def test_turns_say_who_is_called_and_who_is_next(admin: User, viewer: User, tenant: Tenant) -> None:
    begun = timezone.now() - timedelta(days=10)
    rotation = Rotation.objects.create(
        tenant=tenant, key="x", name="X", people=["anna", viewer.username, "gone"], period=7, starts_at=begun
    )
    found = turns(rotation, 3)

    assert [turn.person for turn in found] == [viewer, admin, admin]  # who left is passed over
    assert found[0].since == begun + timedelta(days=7)
    assert f"{viewer.username}" in words(browser(viewer).get("/rotations/").content)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": "not a key"}, "key"),
        ({"key": "taken"}, "This key is taken."),
        ({"people": []}, "A list of usernames."),
        ({"people": ["a-stranger"]}, "“a-stranger” is no member."),
        ({"period": "0"}, "Between 1 and 366."),
        ({"period": "often"}, "This must be a whole number."),
        ({"starts_at": ""}, "Give a time."),
    ],
)
def test_what_is_wrong_is_said(change: dict[str, object], said: str, admin: User, tenant: Tenant, other_tenant: Tenant) -> None:
    make.make_member(other_tenant, username="a-stranger")
    Rotation.objects.create(tenant=tenant, key="taken", name="T", people=["anna"], starts_at=timezone.now())
    answer = browser(admin).post("/rotations/-/new/", FORM | {"people": ["anna"]} | change)

    assert answer.status_code == 400
    assert said in words(answer.content)
    assert Rotation.objects.count() == 1


def test_a_viewer_only_looks_and_a_stranger_finds_nothing(viewer: User, stranger: User, tenant: Tenant) -> None:
    Rotation.objects.create(tenant=tenant, key="ours", name="<b>Ours</b>", people=[viewer.username], starts_at=timezone.now())

    assert b"<b>Ours" not in browser(viewer).get("/rotations/").content
    assert browser(viewer).get("/rotations/ours/").status_code == 403
    assert browser(viewer).post("/rotations/ours/delete/").status_code == 403
    assert browser(stranger).get("/rotations/ours/").status_code == 404
    assert browser(stranger).post("/rotations/ours/delete/").status_code == 404
    assert "Ours" not in words(browser(stranger).get("/rotations/").content)
