"""Maintenance windows: planned, changed, ended; what they keep out of sight is said, and seen again."""

from datetime import timedelta

import pytest
from django.utils import timezone

from devices.models import Device
from iotpanel.tenants.models import Role, Tenant, User
from rules import alarms
from rules.models import Alarm, Maintenance
from tests import make
from tests.pages.people import browser, words

FORM = {"name": "Filters", "starts_at": "2030-01-01T08:00", "ends_at": "2030-01-01T10:00"}


@pytest.fixture
def admin(tenant: Tenant) -> User:
    person = make.make_member(tenant, Role.ADMIN, username="anna")
    person.time_zone = "Europe/Berlin"
    person.save()
    return person


@pytest.fixture
def device(tenant: Tenant) -> Device:
    return make.make_device(tenant, key="room", name="Room 2")


def lasting(tenant: Tenant, **overrides: object) -> Maintenance:
    now = timezone.now()
    values = {"tenant": tenant, "name": "Filters", "starts_at": now - timedelta(hours=1), "ends_at": now + timedelta(hours=1)}
    return Maintenance.objects.create(**values | overrides)


def silenced(device: Device, window: Maintenance) -> Alarm:
    return Alarm.objects.create(
        tenant=device.tenant, rule_name="Warm", device=device, message="Too warm", raised_at=timezone.now(), shelved_until=window.ends_at
    )


def test_one_is_planned_in_the_persons_own_zone(admin: User, tenant: Tenant, device: Device) -> None:
    browser(admin).post("/maintenance/-/new/", FORM | {"scope.devices": "room"})
    made = Maintenance.objects.for_tenant(tenant).get()

    assert (made.name, made.scope) == ("Filters", {"devices": ["room"]})
    assert made.starts_at.isoformat() == "2030-01-01T07:00:00+00:00"
    assert "room" in words(browser(admin).get("/maintenance/").content)
    browser(admin).post(f"/maintenance/{made.pk}/", FORM | {"name": "Pumps"})
    made.refresh_from_db()
    assert (made.name, made.scope) == ("Pumps", {})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "must not be empty"),
        ({"starts_at": "soon"}, "Give a time."),
        ({"ends_at": "2030-01-01T07:00"}, "It ends after it begins"),
        ({"scope.devices": "of-nobody"}, "There is no device “of-nobody”."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_saved(change: dict[str, str], said: str, admin: User) -> None:
    answer = browser(admin).post("/maintenance/-/new/", FORM | change)

    assert answer.status_code == 400
    assert said in words(answer.content)
    assert not Maintenance.objects.exists()


def test_the_alarms_page_says_what_is_silenced(viewer: User, tenant: Tenant, device: Device) -> None:
    alarm = silenced(device, lasting(tenant))
    client = browser(viewer)

    assert "1 alarm is kept out of sight" in words(client.get("/alarms/").content)
    assert "Too warm" in words(client.get("/alarms/?view=maintenance").content)
    alarms.shelve(alarm, until=timezone.now() + timedelta(hours=1), by=viewer)  # now a person's wish
    assert "Too warm" not in words(client.get("/alarms/?view=maintenance").content)
    assert "Too warm" in words(client.get("/alarms/?view=shelved").content)


def test_ending_it_shows_what_it_kept_and_leaves_what_people_shelved(admin: User, tenant: Tenant, device: Device) -> None:
    window = lasting(tenant)
    kept, shelved = silenced(device, window), silenced(device, window)
    alarms.shelve(shelved, until=window.ends_at, by=admin)
    browser(admin).post(f"/maintenance/{window.pk}/end/")

    window.refresh_from_db()
    assert window.ends_at <= timezone.now()
    assert [Alarm.objects.get(pk=each.pk).is_shelved for each in (kept, shelved)] == [False, True]
    assert "The maintenance “Filters” is over." in words(browser(admin).get(f"/alarms/{kept.pk}/").content)


def test_one_that_has_not_begun_is_called_off(admin: User, tenant: Tenant) -> None:
    later = lasting(tenant, starts_at=timezone.now() + timedelta(minutes=30))
    browser(admin).post(f"/maintenance/{later.pk}/end/")

    assert not Maintenance.objects.exists()


def test_a_viewer_only_looks_and_a_stranger_finds_nothing(viewer: User, stranger: User, tenant: Tenant) -> None:
    window = lasting(tenant, name="<script>alert(1)</script>")
    page = browser(viewer).get("/maintenance/")

    assert b"<script>alert(1)" not in page.content
    assert "End now" not in words(page.content)
    assert browser(viewer).get("/maintenance/-/new/").status_code == 403
    assert browser(viewer).post(f"/maintenance/{window.pk}/end/").status_code == 403
    assert browser(stranger).get(f"/maintenance/{window.pk}/").status_code == 404
    assert browser(stranger).post(f"/maintenance/{window.pk}/end/").status_code == 404
    assert "alert(1)" not in words(browser(stranger).get("/maintenance/").content)
