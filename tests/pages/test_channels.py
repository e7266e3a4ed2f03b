"""The pages of notification channels, as far as they differ from those of forwarders."""

import pytest

from iotpanel.tenants.models import Role, Tenant, User
from rules.models import Channel, Notice
from tests import make
from tests.pages.people import browser, words
from tests.rules.fakes import make_channel

TELEGRAM = {"name": "Night", "enabled": "on", "s.token": "123:abcdefghijkl", "s.chat": "-100", "group_wait": "5", "group_interval": "0"}


@pytest.fixture
def admin(tenant: Tenant) -> User:
    return make.make_member(tenant, Role.ADMIN)


def test_one_is_made_by_its_form(admin: User, tenant: Tenant) -> None:
    shown = browser(admin).post("/channels/-/new/?kind=telegram", TELEGRAM | {"title": "{{ rule.name }}"}, follow=True)
    one = Channel.objects.for_tenant(tenant).get()

    assert (one.kind, one.group_wait, one.group_interval, one.title) == ("telegram", 5, 0, "{{ rule.name }}")
    assert b"abcdefghijkl" not in shown.content


def test_what_is_wrong_is_said_at_its_field(admin: User) -> None:
    wrong = TELEGRAM | {"group_wait": "soon", "text": "{{ password }}", "s.chat": "somebody"}
    answer = browser(admin).post("/channels/-/new/?kind=telegram", wrong)

    shown = words(answer.content)
    assert answer.status_code == 400
    assert "This must be a whole number." in shown
    assert "password" in shown
    assert "has not the right form" in shown
    assert not Channel.objects.exists()


def test_history_shows_what_was_sent_and_answered(admin: User, viewer: User, tenant: Tenant) -> None:
    one = make_channel(tenant)
    browser(admin).post(f"/channels/{one.pk}/test/")
    shown = words(browser(viewer).get(f"/channels/{one.pk}/").content)

    assert "[INFO] Test message" in shown
    assert "Shown." in shown
    assert Notice.objects.for_tenant(tenant).count() == 1


def test_only_admins_change_and_strangers_find_nothing(viewer: User, stranger: User, tenant: Tenant) -> None:
    one = make_channel(tenant, name="Hidden")
    assert browser(viewer).get(f"/channels/{one.pk}/").status_code == 200
    assert browser(viewer).post(f"/channels/{one.pk}/test/").status_code == 403
    assert browser(stranger).get(f"/channels/{one.pk}/").status_code == 404
    assert browser(stranger).post(f"/channels/{one.pk}/delete/").status_code == 404
    assert "Hidden" not in words(browser(stranger).get("/channels/").content)
